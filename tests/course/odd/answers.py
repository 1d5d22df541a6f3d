"""A right answer to every exercise, as a student would write it, by assignment and exercise."""

ORTHOGONAL = """\
def orthogonal_(weight, gain=1.0):
    rows, cols = weight.shape
    with torch.no_grad():
        noise = torch.randn(max(rows, cols), min(rows, cols))
        q, r = torch.linalg.qr(noise)
        q = q * torch.sign(torch.diag(r))
        if rows < cols:
            q = q.T
        weight.copy_(gain * q)
    return weight"""

CONV2D = """\
def conv2d(x, weight, stride=1, padding=0):
    k = weight.shape[-1]
    x = torch.nn.functional.pad(x, (padding, padding, padding, padding))
    height = (x.shape[2] - k) // stride + 1
    width = (x.shape[3] - k) // stride + 1
    total = 0
    for u in range(k):
        for v in range(k):
            seen = x[:, :, u : u + stride * height : stride, v : v + stride * width : stride]
            seen = seen[:, :, :height, :width]
            total = total + torch.einsum("bchw,oc->bohw", seen, weight[:, :, u, v])
    return total"""

RESET_DONE = """\
def reset_done(hidden, dones):
    done = dones.bool().reshape(1, -1, 1)
    return torch.where(done, torch.zeros_like(hidden), hidden)"""

MERGE_MOMENTS = """\
def merge_moments(count_a, mean_a, var_a, count_b, mean_b, var_b):
    n = count_a + count_b
    share = count_b / n
    gap = mean_b - mean_a
    mean = mean_a + share * gap
    var = (1 - share) * var_a + share * var_b + share * (1 - share) * gap * gap
    return n, mean, var"""

LOG_PROB = """\
def gaussian_log_prob(mean, std, action):
    z = (action - mean) / std
    each = -z * z / 2 - torch.log(std) - 0.5 * math.log(2 * math.pi)
    return each.sum(-1)"""

ANSWERS = {
    "1_mlp": {
        "mlp_forward": """\
def mlp_forward(x, weights, biases, activation):
    last = len(weights) - 1
    for i, (w, b) in enumerate(zip(weights, biases)):
        x = x @ w.T + b
        if i < last:
            x = activation(x)
    return x""",
        "count_parameters": """\
def count_parameters(input_dim, output_dim, hidden_dims):
    if isinstance(output_dim, tuple):
        output_dim = math.prod(output_dim)
    sizes = [input_dim]
    for h in hidden_dims:
        sizes.append(input_dim if h == -1 else h)
    sizes.append(output_dim)
    total = 0
    for a, b in zip(sizes[:-1], sizes[1:]):
        total += (a + 1) * b
    return total""",
        "orthogonal_": ORTHOGONAL,
        "dead_fraction": """\
def dead_fraction(activations):
    dead = (activations == 0).all(dim=0)
    return dead.float().mean()""",
    },
    "2_cnn": {
        "output_size": """\
def output_size(size, kernel, stride=1, padding=0, dilation=1):
    covered = dilation * (kernel - 1) + 1
    return (size + 2 * padding - covered) // stride + 1""",
        "conv2d": CONV2D,
        "receptive_field": """\
def receptive_field(kernels, strides, dilations):
    field = jump = 1
    for k, s, d in zip(kernels, strides, dilations):
        field += d * (k - 1) * jump
        jump *= s
    return field""",
    },
    "3_rnn": {
        "gru_step": """\
def gru_step(x, h, w_ih, w_hh, b_ih, b_hh):
    xr, xz, xn = (x @ w_ih.T + b_ih).chunk(3, dim=-1)
    hr, hz, hn = (h @ w_hh.T + b_hh).chunk(3, dim=-1)
    r = torch.sigmoid(xr + hr)
    z = torch.sigmoid(xz + hz)
    n = torch.tanh(xn + r * hn)
    return (1 - z) * n + z * h""",
        "reset_done": RESET_DONE,
        "split_and_pad": """\
def split_and_pad(x, dones):
    pieces = []
    for env in range(x.shape[1]):
        start = 0
        for t in range(x.shape[0]):
            if dones[t, env] or t == x.shape[0] - 1:
                pieces.append(x[start : t + 1, env])
                start = t + 1
    lengths = torch.tensor([len(p) for p in pieces])
    padded = torch.nn.utils.rnn.pad_sequence(pieces)
    mask = torch.arange(len(padded))[:, None] < lengths[None, :]
    return padded, mask""",
        "unpad": """\
def unpad(padded, mask, time):
    steps = padded.transpose(0, 1)[mask.transpose(0, 1)]
    return steps.reshape(-1, time, padded.shape[-1]).transpose(0, 1)""",
    },
    "4_normalization": {
        "merge_moments": MERGE_MOMENTS,
        "running_norm": """\
class RunningNorm:
    def __init__(self, features, eps=1e-2):
        self.count, self.mean, self.var = 0, torch.zeros(features), torch.ones(features)
        self.eps = eps

    def update(self, x):
        batch = x.mean(0), x.var(0, unbiased=False)
        self.count, self.mean, self.var = merge_moments(self.count, self.mean, self.var, len(x), *batch)

    def __call__(self, x):
        return (x - self.mean) / (self.var.sqrt() + self.eps)""",
        "discounted_return_scale": """\
def discounted_return_scale(rewards, dones, gamma):
    total, rows = torch.zeros_like(rewards[0]), []
    for r, d in zip(rewards, dones):
        total = gamma * total + r
        rows.append(total)
        total = total * (1 - d)
    return torch.stack(rows).std(unbiased=False)""",
    },
    "5_distributions": {
        "gaussian_log_prob": LOG_PROB,
        "gaussian_entropy": """\
def gaussian_entropy(std):
    return (std.log() + 0.5 + 0.5 * math.log(2 * math.pi)).sum(-1)""",
        "gaussian_kl": """\
def gaussian_kl(old_mean, old_std, mean, std):
    ratio = (old_std / std) ** 2
    shift = ((old_mean - mean) / std) ** 2
    return (0.5 * (ratio + shift - 1 - ratio.log())).sum(-1)""",
        "adaptive_learning_rate": """\
def adaptive_learning_rate(rate, kl, desired_kl):
    if kl > 2 * desired_kl:
        return max(1e-5, rate / 1.5)
    if 0 < kl < desired_kl / 2:
        return min(1e-2, rate * 1.5)
    return rate""",
    },
    "6_policy": {
        "orthogonal_": ORTHOGONAL,
        "conv2d": CONV2D,
        "reset_done": RESET_DONE,
        "merge_moments": MERGE_MOMENTS,
        "gaussian_log_prob": LOG_PROB,
    },
}
