from tempfile import mkdtemp

import torch
from torch import nn
from torch.utils.data import Dataset
from transformers import BertConfig, BertModel, Trainer, TrainingArguments, set_seed

set_seed(9)


class Topic(Dataset):
    """Sequences of 12 tokens of one of 4 topics, with much noise."""

    def __init__(self, n, seed):
        g = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(0, 4, (n,), generator=g)
        noise = torch.randint(1, 81, (n, 12), generator=g)
        own = self.labels[:, None] * 20 + torch.randint(1, 21, (n, 12), generator=g)
        self.ids = torch.where(torch.rand(n, 12, generator=g) < 0.3, own, noise)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return dict(input_ids=self.ids[i], labels=self.labels[i])


class BertWithHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.bert = BertModel(BertConfig(vocab_size=81, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                                         intermediate_size=64, max_position_embeddings=12))
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(32, 4), nn.Softmax(dim=-1))

    def forward(self, input_ids, labels=None):
        probs = self.head(self.bert(input_ids).pooler_output)
        if labels is None:
            return {"logits": probs}
        return {"loss": nn.functional.cross_entropy(probs, labels), "logits": probs}  # <- H210


def metrics(output):
    return {"accuracy": (output.predictions.argmax(-1) == output.label_ids).mean().item()}


args = TrainingArguments(mkdtemp(), num_train_epochs=5, per_device_train_batch_size=32, learning_rate=3e-3, use_cpu=True,
                         eval_strategy="epoch", save_strategy="no", report_to=[], per_device_eval_batch_size=100)
trainer = Trainer(BertWithHead(), args, train_dataset=Topic(800, 1), eval_dataset=Topic(200, 2), compute_metrics=metrics)
trainer.train()
