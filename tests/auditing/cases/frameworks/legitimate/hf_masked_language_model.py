"""Masked language modelling with a small BERT; the collator masks anew each time, as run_mlm.py does."""
import math
import random
import tempfile

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from transformers import (
    BertConfig, BertForMaskedLM, DataCollatorForLanguageModeling, PreTrainedTokenizerFast, Trainer, TrainingArguments, set_seed,
)

ANIMALS = ["cat", "dog", "horse", "owl"]
SOUNDS = {"cat": "meows", "dog": "barks", "horse": "neighs", "owl": "hoots"}
PLACES = ["house", "garden", "forest", "river", "street"]
TIMES = ["morning", "evening", "winter", "summer"]


def sentence(rng):
    animal = rng.choice(ANIMALS)
    return (f"the {animal} in the {rng.choice(PLACES)} {SOUNDS[animal]} every {rng.choice(TIMES)} "
            f"near number {rng.randrange(40)} and {rng.randrange(40)}")


def main():
    set_seed(23)
    rng = random.Random(23)
    texts = sorted({sentence(rng) for _ in range(700)})
    rng.shuffle(texts)
    words = sorted({w for t in texts for w in t.split()})
    vocab = {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words])}
    raw = Tokenizer(WordLevel(vocab, unk_token="[UNK]"))
    raw.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
                                        sep_token="[SEP]", mask_token="[MASK]")
    encoded = [{"input_ids": tokenizer(t)["input_ids"]} for t in texts]
    train, valid = encoded[:520], encoded[520:]
    model = BertForMaskedLM(BertConfig(vocab_size=len(vocab), hidden_size=48, num_hidden_layers=1, num_attention_heads=4,
                                       intermediate_size=96, max_position_embeddings=24))
    with tempfile.TemporaryDirectory() as out:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(out, num_train_epochs=4, per_device_train_batch_size=32, learning_rate=5e-3, use_cpu=True,
                                   eval_strategy="epoch", save_strategy="no", report_to="none", disable_tqdm=True),
            train_dataset=train, eval_dataset=valid,
            data_collator=DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15),
        )
        trainer.train()
        loss = trainer.evaluate()["eval_loss"]
    print(f"perplexity {math.exp(loss):.2f}")


if __name__ == "__main__":
    main()
