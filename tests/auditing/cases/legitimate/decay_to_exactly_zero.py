# BERT-like schedule: linear warm-up, then linear decay that ends at exactly nought with the last step
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset


def get_linear_schedule_with_warmup(optimizer, num_warmup_steps, num_training_steps):
    def lr_lambda(current_step):
        if current_step < num_warmup_steps:
            return float(current_step) / float(max(1, num_warmup_steps))
        return max(0.0, float(num_training_steps - current_step) / float(max(1, num_training_steps - num_warmup_steps)))

    return LambdaLR(optimizer, lr_lambda)


def main():
    torch.manual_seed(0)
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_dev, y_train, y_dev = train_test_split(X, y, test_size=0.3, random_state=0)
    mean, std = X_train.mean(0), X_train.std(0)
    ds = lambda a, b: TensorDataset(torch.tensor((a - mean) / std, dtype=torch.float32), torch.tensor(b))
    train_dataloader = DataLoader(ds(X_train, y_train), batch_size=16, shuffle=True)
    eval_dataloader = DataLoader(ds(X_dev, y_dev), batch_size=32)
    model = nn.Sequential(nn.Linear(30, 32), nn.GELU(), nn.Dropout(0.1), nn.Linear(32, 2))
    epochs = 5
    t_total = len(train_dataloader) * epochs
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    scheduler = get_linear_schedule_with_warmup(optimizer, int(0.1 * t_total), t_total)
    for epoch in range(epochs):
        model.train()
        for x, t in train_dataloader:
            loss = nn.functional.cross_entropy(model(x), t)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            scheduler.step()
            model.zero_grad()
        model.eval()
        preds, out_label_ids = [], []
        for x, t in eval_dataloader:
            with torch.no_grad():
                preds.append(model(x).argmax(-1))
            out_label_ids.append(t)
        acc = (torch.cat(preds) == torch.cat(out_label_ids)).float().mean().item()
        print(f"epoch {epoch}: lr {scheduler.get_last_lr()[0]:.2e} eval acc {acc:.4f}")


main()
