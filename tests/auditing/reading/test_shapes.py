"""Correct scripts of many shapes: reading them tells nothing at warning or above."""

import textwrap
from pathlib import Path

import pytest

from heldout.auditing.reading.scripts import read

LIGHTNING = """
    import pytorch_lightning as pl
    import torch, torch.nn as nn, torch.nn.functional as F
    from torch.utils.data import DataLoader

    class Lit(pl.LightningModule):
        def __init__(self, lr=1e-3, requires_grad=True):
            super().__init__()
            self.save_hyperparameters()
            self.encoder = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU())
            self.head = nn.Linear(16, 3)
            self.criterion = nn.CrossEntropyLoss()

        def forward(self, x):
            return self.head(self.encoder(x))

        def training_step(self, batch, batch_idx):
            x, y = batch
            loss = self.criterion(self(x), y)
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch, batch_idx):
            x, y = batch
            logits = self(x)
            self.log("val_acc", (logits.argmax(1) == y).float().mean())

        def predict_step(self, batch, batch_idx):
            return self(batch[0]).softmax(1)

        def configure_optimizers(self):
            optimizer = torch.optim.AdamW(self.parameters(), lr=self.hparams.lr)
            scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=10)
            return {"optimizer": optimizer, "lr_scheduler": scheduler}

    trainer = pl.Trainer(max_epochs=3)
    trainer.fit(Lit(), DataLoader(train_set), DataLoader(val_set))
"""

MANUAL_LIGHTNING = """
    class GAN(pl.LightningModule):
        def training_step(self, batch):
            g_opt, d_opt = self.optimizers()
            d_loss = self.d_loss(batch)
            d_opt.zero_grad()
            self.manual_backward(d_loss)
            d_opt.step()
            g_loss = self.g_loss(batch)
            g_opt.zero_grad()
            self.manual_backward(g_loss)
            g_opt.step()
"""

HF_TRAINER = """
    import numpy as np
    from transformers import AutoModelForSequenceClassification, Trainer, TrainingArguments

    class WeightedTrainer(Trainer):
        def compute_loss(self, model, inputs, return_outputs=False):
            labels = inputs.pop("labels")
            outputs = model(**inputs)
            loss = nn.CrossEntropyLoss(weight=self.weight)(outputs.logits.view(-1, 2), labels.view(-1))
            return (loss, outputs) if return_outputs else loss

    def compute_metrics(pred):
        logits, labels = pred
        return {"accuracy": (np.argmax(logits, axis=1) == labels).mean()}

    model = AutoModelForSequenceClassification.from_pretrained("bert-base-cased", num_labels=2)
    for parameter in model.bert.parameters():
        parameter.requires_grad = False
    trainer = WeightedTrainer(model=model, args=TrainingArguments("out", seed=1), compute_metrics=compute_metrics)
    trainer.train()
"""

HF_ACCELERATE = """
    accelerator = Accelerator(gradient_accumulation_steps=4)
    model, optimizer, train_loader, scheduler = accelerator.prepare(model, optimizer, train_loader, scheduler)
    for epoch in range(3):
        model.train()
        total_loss = 0
        for step, batch in enumerate(train_loader):
            with accelerator.accumulate(model):
                outputs = model(**batch)
                loss = outputs.loss
                total_loss += loss.detach().float()
                accelerator.backward(loss)
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
        model.eval()
        for batch in eval_loader:
            with torch.no_grad():
                outputs = model(**batch)
            metric.add_batch(predictions=outputs.logits.argmax(dim=-1), references=batch["labels"])
"""

DCGAN = """
    import torch, torch.nn as nn
    netG = nn.Sequential(nn.ConvTranspose2d(100, 64, 4), nn.BatchNorm2d(64), nn.ReLU(), nn.Tanh())
    netD = nn.Sequential(nn.Conv2d(3, 64, 4), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(64, 1), nn.Sigmoid())
    criterion = nn.BCELoss()
    optimizerD = torch.optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizerG = torch.optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
    for epoch in range(num_epochs):
        for i, data in enumerate(dataloader, 0):
            netD.zero_grad()
            output = netD(data[0]).view(-1)
            errD_real = criterion(output, label)
            errD_real.backward()
            noise = torch.randn(b_size, nz, 1, 1, device=device)
            fake = netG(noise)
            errD_fake = criterion(netD(fake.detach()).view(-1), label)
            errD_fake.backward()
            errD = errD_real + errD_fake
            optimizerD.step()
            netG.zero_grad()
            errG = criterion(netD(fake).view(-1), label)
            errG.backward()
            optimizerG.step()
            G_losses.append(errG.item())
        with torch.no_grad():
            fake = netG(fixed_noise).detach().cpu()
        save_image(fake)
"""

WGAN_CRITIC = """
    for epoch in range(10):
        for x, _ in loader:
            for _ in range(5):
                critic_loss = critic(fake).mean() - critic(x).mean()
                opt_critic.zero_grad()
                critic_loss.backward()
                opt_critic.step()
            for p in critic.parameters():
                p.requires_grad = False
            g_loss = -critic(gen(z)).mean()
            opt_gen.zero_grad(); g_loss.backward(); opt_gen.step()
            for p in critic.parameters():
                p.requires_grad = True
"""

KFOLD = """
    from sklearn.model_selection import KFold
    scores = []
    n_correct = n_total = 0
    for fold, (train_idx, val_idx) in enumerate(KFold(5, shuffle=True, random_state=0).split(X)):
        model = Net()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for epoch in range(10):
            model.train()
            for x, y in DataLoader(Subset(data, train_idx), 32, shuffle=True):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x), y)
                loss.backward()
                optimizer.step()
        model.eval()
        with torch.no_grad():
            for x, y in DataLoader(Subset(data, val_idx), 32):
                n_correct += (model(x).argmax(1) == y).sum().item()
                n_total += len(y)
        print("after fold", fold, "accuracy over folds", n_correct / n_total)
"""

ACCUMULATION = """
    running = 0.0
    for epoch in range(3):
        for i, (x, y) in enumerate(train_loader):
            loss = criterion(model(x), y) / steps
            loss.backward()
            running += loss.item()
            if (i + 1) % steps == 0:
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
"""

MULTI_TASK = """
    for x, targets in loader:
        total_loss = 0
        for name, head in heads.items():
            loss = criterion(head(backbone(x)), targets[name])
            total_loss += loss
        optimizer.zero_grad()
        total_loss.backward()
        optimizer.step()
"""

SUM_OF_LOSSES = """
    for x, y in loader:
        loss = 0
        loss += F.cross_entropy(model(x), y)
        loss += 0.1 * penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""

AMP = """
    scaler = torch.cuda.amp.GradScaler()
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=100)
    for epoch in range(5):
        model.train()
        epoch_loss = 0.0
        for x, y in train_loader:
            optimizer.zero_grad()
            with torch.autocast("cuda"):
                loss = F.cross_entropy(model(x), y)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
            scheduler.step()
            epoch_loss += loss.item()
"""

LBFGS = """
    optimizer = torch.optim.LBFGS(model.parameters())
    for i in range(20):
        def closure():
            for p in model.parameters():
                p.grad = None
            loss = F.mse_loss(model(x), y)
            loss.backward()
            return loss
        optimizer.step(closure)
"""

DQN = """
    policy_net, target_net = DQN(), DQN()
    target_net.load_state_dict(policy_net.state_dict())
    optimizer = torch.optim.AdamW(policy_net.parameters(), lr=1e-4)
    for episode in range(500):
        state = env.reset(seed=episode)
        while True:
            with torch.no_grad():
                action = policy_net(state).max(1).indices.view(1, 1)
            batch = memory.sample(64)
            values = policy_net(batch.state).gather(1, batch.action)
            with torch.no_grad():
                following = target_net(batch.next_state).max(1).values
            loss = F.smooth_l1_loss(values, batch.reward + 0.99 * following)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            target_dict = policy_net.state_dict()
            target_net.load_state_dict(target_dict)
"""

DISTILLATION = """
    teacher.eval()
    for p in teacher.parameters():
        p.requires_grad_(False)
    for x, y in train_loader:
        with torch.no_grad():
            soft = teacher(x).softmax(1)
        scores = student(x)
        loss = F.cross_entropy(scores, soft) + F.kl_div(F.log_softmax(scores, 1), soft, reduction="batchmean")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""

NLL = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(9, 10)

        def forward(self, x):
            return F.log_softmax(self.fc(x), dim=1)

    def train(model, device, train_loader, optimizer, epoch):
        model.train()
        for batch_idx, (data, target) in enumerate(train_loader):
            optimizer.zero_grad()
            loss = F.nll_loss(model(data), target)
            loss.backward()
            optimizer.step()

    def test(model, device, test_loader):
        model.eval()
        test_loss = 0
        correct = 0
        with torch.no_grad():
            for data, target in test_loader:
                output = model(data)
                test_loss += F.nll_loss(output, target, reduction="sum").item()
                correct += output.argmax(dim=1, keepdim=True).eq(target.view_as(output)).sum().item()
        print("Test set: accuracy", correct, 100.0 * correct / len(test_loader.dataset))

    def main():
        torch.manual_seed(1)
        model = Net()
        optimizer = optim.Adadelta(model.parameters(), lr=1.0)
        scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
        for epoch in range(1, 15):
            train(model, "cpu", train_loader, optimizer, epoch)
            test(model, "cpu", test_loader)
            scheduler.step()
"""

PROBABILITIES_ONLY_WHEN_EVALUATING = """
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(9, 10)

        def forward(self, x):
            x = self.fc(x)
            if self.training:
                return x
            return F.softmax(x, dim=1)

    model = Net()
    for x, y in loader:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
"""

BINARY = """
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    for x, y in loader:
        logits = model(x).squeeze(1)
        loss = F.binary_cross_entropy_with_logits(logits, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        right = ((logits > 0) == y).sum().item()
        scores = torch.stack([model(x), model(x + 1)]).max(0)
"""

SWEEP = """
    for lr in (0.001, 0.01, 0.1):
        model = make()
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        fit(model, optimizer)
"""

SWEEP_PUT_BACK = """
    model = make()
    start = copy.deepcopy(model.state_dict())
    for lr in [0.001, 0.01, 0.1]:
        model.load_state_dict(start)
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        fit(model, optimizer)
"""

FALLING_BY_HAND = """
    model = make()
    for lr in (0.1, 0.01, 0.001):
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        fit(model, optimizer)
"""

SEEDS = """
    def run(seed, lr):
        torch.manual_seed(seed)
        model = make_model()
        optimizer = torch.optim.SGD(model.parameters(), lr=lr)
        return fit(model, optimizer)

    results = [run(seed, lr) for seed in range(3) for lr in (0.1, 0.01)]
"""

LANGUAGE_MODEL = """
    data_iter = iter(train_loader)
    for step in range(1000):
        try:
            xb, yb = next(data_iter)
        except StopIteration:
            data_iter = iter(train_loader)
            xb, yb = next(data_iter)
        logits, loss = model(xb, yb)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        if step % 100 == 0:
            model.eval()
            losses = [model(*get_batch("val"))[1].item() for _ in range(20)]
            model.train()
"""

INFINITE_SHUFFLED = """
    loader = DataLoader(data, batch_size=8, shuffle=True)
    for step in range(1000):
        x, y = next(iter(loader))
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
"""

SELF_SUPERVISED = """
    for epoch in range(10):
        for (view1, view2), _ in loader:
            z1, z2 = model(view1), model(view2)
            logits = z1 @ z2.T / 0.1
            loss = F.cross_entropy(logits, torch.arange(len(z1)))
            opt.zero_grad(); loss.backward(); opt.step()
            with torch.no_grad():
                for e, m in zip(ema_model.parameters(), model.parameters()):
                    e.mul_(0.99).add_(m, alpha=0.01)
        ema_state = model.state_dict()
"""

DEEPSPEED = """
    import deepspeed
    model_engine, optimizer, _, _ = deepspeed.initialize(model=model)
    for batch in loader:
        loss = model_engine(batch)
        model_engine.backward(loss)
        model_engine.step()
"""

TWO_LOADERS = """
    for epoch in range(3):
        for x, y in train_loader:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        for x, y in val_loader:
            x, y = x.to(device), y.to(device)
            out = model(x)
        for batch in test_loader:
            inputs, labels = batch
            out = model(inputs)
    for batch in unlabelled_loader:
        images = next(labelled)
        out = model(images)
"""

EVALUATION_WITHIN_TRAINING = """
    def evaluate(model, loader):
        was_training = model.training
        model.train(False)
        correct = 0
        with torch.no_grad():
            for x, y in loader:
                correct += (model(x).argmax(1) == y).sum().item()
        model.train(was_training)
        return correct / len(loader.dataset)

    model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(), nn.Linear(8, 3))
    best_acc = 0
    for epoch in range(4):
        for x, y in train_loader:
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
        acc = evaluate(model, val_loader)
        if acc > best_acc:
            best_acc = acc
            torch.save(model.state_dict(), "best.pt")
    test_acc = evaluate(model, test_loader)
"""

CONFIGURED = """
    class Config:
        def __init__(self, require_grad=False):
            self.require_grad = False

    def set_trainable(model, cfg):
        for p in model.parameters():
            p.requires_grad = cfg.require_grad
        model.weight.requires_grad = False
"""

FRESH_AND_PRETRAINED = """
    def get_pretrained_resnet():
        return resnet18(weights="DEFAULT")

    def get_empty_resnet():
        return resnet18(weights=None)

    pretrained_model = get_pretrained_resnet()
    empty_model = get_empty_resnet()
    scratch = resnet18(weights=None)
    teacher, student = make_model(), make_model()
    empty_dict = empty_model.state_dict()
    pretrained_net = resnet18(weights=None)
    pretrained_net.load_state_dict(torch.load("resnet18.pt"))
"""

CORRECT = {name.lower(): text for name, text in list(globals().items()) if name.isupper() and isinstance(text, str)}


@pytest.mark.parametrize("name", sorted(CORRECT))
def test_nothing_is_told_of_a_correct_script(name: str, tmp_path: Path) -> None:
    script = tmp_path / f"{name}.py"
    script.write_text(textwrap.dedent(CORRECT[name]))
    told = [(each.code, each.place.line, each.observed) for each in read(script) if each.severity != "note"]
    assert told == []
