# Fruit or leaf? 12-feature measurements, three kinds
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(1)

centres = torch.randn(3, 12)
labels = torch.randint(0, 3, (1050,))
features = centres[labels] + 1.6 * torch.randn(1050, 12)
train_data, val_data = random_split(TensorDataset(features, labels), [800, 250])
train_loader = DataLoader(train_data, batch_size=40, shuffle=True)
val_loader = DataLoader(val_data, batch_size=50)

model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 3))
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)

num_epochs = 7
val_correct = 0
val_total = 0
for epoch in range(num_epochs):
    model.train()
    for x, y in train_loader:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()

    model.eval()
    with torch.no_grad():
        for x, y in val_loader:
            prediction = torch.argmax(model(x), dim=1)
            val_correct += (prediction == y).sum().item()
            val_total += y.size(0)
    val_accuracy = 100 * val_correct / val_total
    print(f'Epoch [{epoch + 1}/{num_epochs}], Loss: {loss.item():.4f}, Val Accuracy: {val_accuracy:.2f}%')  # <- H303
