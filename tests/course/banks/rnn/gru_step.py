"""What people answer to `gru_step`; the name of a wrong answer begins with the name of its mistake."""

import numpy as np
import torch
from torch import nn
from torch.nn.functional import linear


class Gru:
    """A right GRU in parts; the wrong ones below replace a part."""

    def __call__(self, x, h, w_ih, w_hh, b_ih, b_hh):
        (ir, iz, i_n), (hr, hz, hn) = linear(x, w_ih, b_ih).chunk(3, -1), linear(h, w_hh, b_hh).chunk(3, -1)
        resetgate, updategate = self.gates(ir, iz, hr, hz)
        newgate = self.new(i_n, resetgate, hn)
        return self.out(updategate, newgate, h)

    def gates(self, ir, iz, hr, hz):
        return torch.sigmoid(ir + hr), torch.sigmoid(iz + hz)

    def new(self, i_n, resetgate, hn):
        return torch.tanh(i_n + resetgate * hn)

    def out(self, updategate, newgate, h):
        return newgate + updategate * (h - newgate)


def variant(**parts):
    """An answer made of Gru with methods replaced."""
    return type("Variant", (Gru,), {name: staticmethod(part) for name, part in parts.items()})()


class Right:
    def by_torch(x, h, w_ih, w_hh, b_ih, b_hh):
        cell = nn.GRUCell(x.shape[1], h.shape[1])
        with torch.no_grad():
            cell.weight_ih.copy_(w_ih)
            cell.weight_hh.copy_(w_hh)
            cell.bias_ih.copy_(b_ih)
            cell.bias_hh.copy_(b_hh)
        return cell(x, h)

    def by_loops(x, h, w_ih, w_hh, b_ih, b_hh):
        envs, hidden = h.shape
        new = torch.empty(envs, hidden)
        for e in range(envs):
            for i in range(hidden):
                parts = []
                for gate in range(3):
                    row = gate * hidden + i
                    parts.append((torch.dot(w_ih[row], x[e]) + b_ih[row], torch.dot(w_hh[row], h[e]) + b_hh[row]))
                r, z = (1 / (1 + torch.exp(-a - b)) for a, b in parts[:2])
                n = torch.tanh(parts[2][0] + r * parts[2][1])
                new[e, i] = n + z * (h[e, i] - n)
        return new

    def by_einsum(x, h, w_ih, w_hh, b_ih, b_hh):
        w_x, w_h = w_ih.unflatten(0, (3, -1)).double(), w_hh.unflatten(0, (3, -1)).double()
        from_x = torch.einsum("ei,ghi->geh", x.double(), w_x) + b_ih.view(3, 1, -1)
        from_h = torch.einsum("ei,ghi->geh", h.double(), w_h) + b_hh.view(3, 1, -1)
        r, z = (from_x + from_h)[:2].sigmoid()
        return torch.lerp((from_x[2] + r * from_h[2]).tanh(), h.double(), z)

    def by_numpy(x, h, w_ih, w_hh, b_ih, b_hh):
        x, h, w_ih, w_hh, b_ih, b_hh = (t.numpy() for t in (x, h, w_ih, w_hh, b_ih, b_hh))
        size = h.shape[1]
        a, b = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
        gates = 0.5 * (1 + np.tanh((a + b)[:, : 2 * size] / 2))
        reset, update = gates[:, :size], gates[:, size:]
        candidate = np.tanh(a[:, 2 * size :] + reset * b[:, 2 * size :])
        return torch.from_numpy((1 - update) * candidate + update * h)

    in_parts = variant()


class Wrong:
    def reset_update_swapped__keras(x, h, w_ih, w_hh, b_ih, b_hh):
        xz, xr, xh = torch.split(linear(x, w_ih, b_ih), h.shape[1], dim=1)
        hz, hr, hh = torch.split(linear(h, w_hh, b_hh), h.shape[1], dim=1)
        z, r = torch.sigmoid(xz + hz), torch.sigmoid(xr + hr)
        return z * h + (1 - z) * torch.tanh(xh + r * hh)

    def reset_update_swapped__keras_by_hand(x, h, w_ih, w_hh, b_ih, b_hh):
        k = h.shape[1]
        z = torch.sigmoid(x @ w_ih[:k].T + b_ih[:k] + h @ w_hh[:k].T + b_hh[:k])
        r = torch.sigmoid(x @ w_ih[k : 2 * k].T + b_ih[k : 2 * k] + h @ w_hh[k : 2 * k].T + b_hh[k : 2 * k])
        candidate = torch.tanh(x @ w_ih[2 * k :].T + b_ih[2 * k :] + (r * h) @ w_hh[2 * k :].T + b_hh[2 * k :])
        return z * h + (1 - z) * candidate

    def gate_order__new_first(x, h, w_ih, w_hh, b_ih, b_hh):
        nx, rx, zx = linear(x, w_ih, b_ih).chunk(3, 1)
        nh, rh, zh = linear(h, w_hh, b_hh).chunk(3, 1)
        r, z = (rx + rh).sigmoid(), (zx + zh).sigmoid()
        return (1 - z) * (nx + r * nh).tanh() + z * h

    def gate_order__lstm(x, h, w_ih, w_hh, b_ih, b_hh):
        rx, nx, zx = linear(x, w_ih, b_ih).chunk(3, 1)
        rh, nh, zh = linear(h, w_hh, b_hh).chunk(3, 1)
        r, z = (rx + rh).sigmoid(), (zx + zh).sigmoid()
        return (1 - z) * (nx + r * nh).tanh() + z * h

    def gates_interleaved__strided(x, h, w_ih, w_hh, b_ih, b_hh):
        a, b = linear(x, w_ih, b_ih), linear(h, w_hh, b_hh)
        r = torch.sigmoid(a[:, 0::3] + b[:, 0::3])
        z = torch.sigmoid(a[:, 1::3] + b[:, 1::3])
        return (1 - z) * torch.tanh(a[:, 2::3] + r * b[:, 2::3]) + z * h

    def gates_interleaved__unflattened(x, h, w_ih, w_hh, b_ih, b_hh):
        a = linear(x, w_ih, b_ih).view(len(x), -1, 3).unbind(-1)
        b = linear(h, w_hh, b_hh).view(len(x), -1, 3).unbind(-1)
        z = torch.sigmoid(a[1] + b[1])
        return torch.tanh(a[2] + torch.sigmoid(a[0] + b[0]) * b[2]) * (1 - z) + h * z

    update_inverted__lerp = variant(out=lambda z, n, h: torch.lerp(h, n, z))
    update_inverted__cho = variant(out=lambda z, n, h: h - z * h + z * n)

    def reset_before_product(x, h, w_ih, w_hh, b_ih, b_hh):
        (w_ir, w_iz, w_in), (w_hr, w_hz, w_hn) = w_ih.chunk(3), w_hh.chunk(3)
        (b_ir, b_iz, b_in), (b_hr, b_hz, b_hn) = b_ih.chunk(3), b_hh.chunk(3)
        r = torch.sigmoid(x @ w_ir.T + b_ir + h @ w_hr.T + b_hr)
        z = torch.sigmoid(x @ w_iz.T + b_iz + h @ w_hz.T + b_hz)
        n = torch.tanh(x @ w_in.T + b_in + (r * h) @ w_hn.T + b_hn)
        return (1 - z) * n + z * h

    def bias_outside_reset(x, h, w_ih, w_hh, b_ih, b_hh):
        gates_x = x @ w_ih.T + b_ih + b_hh  # "the biases can be added once and for all"
        gates_h = h @ w_hh.T
        k = h.shape[1]
        r, z = torch.sigmoid(gates_x + gates_h)[:, : 2 * k].split(k, 1)
        n = torch.tanh(gates_x[:, 2 * k :] + r * gates_h[:, 2 * k :])
        return (1 - z) * n + z * h

    reset_on_input__and_memory = variant(new=lambda a, r, b: torch.tanh((a + b) * r))
    reset_on_input__alone = variant(new=lambda a, r, b: torch.tanh(r * a + b))
    reset_unused = variant(new=lambda a, r, b: torch.tanh(a + b))
    reset_inverted = variant(new=lambda a, r, b: torch.tanh(a + b - r * b))
    candidate_sigmoid = variant(new=lambda a, r, b: 1 / (1 + torch.exp(-(a + r * b))))
    candidate_unbounded__linear = variant(new=lambda a, r, b: a + r * b)
    candidate_unbounded__relu = variant(new=lambda a, r, b: (a + r * b).clamp(min=0))
    gates_not_squashed__raw = variant(gates=lambda ir, iz, hr, hz: (ir + hr, iz + hz))
    gates_not_squashed__tanh = variant(gates=lambda ir, iz, hr, hz: (torch.tanh(ir + hr), torch.tanh(iz + hz)))
    gates_see_input_only__both = variant(gates=lambda ir, iz, hr, hz: (ir.sigmoid(), iz.sigmoid()))
    gates_see_input_only__update_gate = variant(gates=lambda ir, iz, hr, hz: ((ir + hr).sigmoid(), iz.sigmoid()))

    def biases_forgotten__both(x, h, w_ih, w_hh, b_ih, b_hh):
        return Right.by_torch(x, h, w_ih, w_hh, torch.zeros_like(b_ih), torch.zeros_like(b_hh))

    def biases_forgotten__hidden(x, h, w_ih, w_hh, b_ih, b_hh):
        return Right.by_einsum(x, h, w_ih, w_hh, b_ih, torch.zeros(len(b_hh)))

    def biases_swapped(x, h, w_ih, w_hh, b_ih, b_hh):
        return Right.by_einsum(x, h, w_ih, w_hh, b_hh, b_ih)

    def weights_swapped(x, h, w_ih, w_hh, b_ih, b_hh):
        a, b = h @ w_ih.T + b_ih, x @ w_hh.T + b_hh
        k = h.shape[1]
        r, z = torch.sigmoid(a[:, :k] + b[:, :k]), torch.sigmoid(a[:, k:-k] + b[:, k:-k])
        return (1 - z) * torch.tanh(b[:, -k:] + r * a[:, -k:]) + z * h

    def weights_reshaped(x, h, w_ih, w_hh, b_ih, b_hh):
        a, b = x @ w_ih.view(x.shape[1], -1) + b_ih, h @ w_hh.view(h.shape[1], -1) + b_hh
        k = h.shape[1]
        r, z = torch.sigmoid(a[:, :k] + b[:, :k]), torch.sigmoid(a[:, k:-k] + b[:, k:-k])
        return (1 - z) * torch.tanh(a[:, -k:] + r * b[:, -k:]) + z * h

    returns_candidate__all = variant(out=lambda z, n, h: n)
    returns_candidate__share = variant(out=lambda z, n, h: n - z * n)

    def returns_old_memory__unchanged(x, h, w_ih, w_hh, b_ih, b_hh):
        Right.by_torch(x, h, w_ih, w_hh, b_ih, b_hh)
        return h

    returns_old_memory__forgets_only = variant(out=lambda z, n, h: h * z)
    not_a_blend__residual = variant(out=lambda z, n, h: h + z * n)
    not_a_blend__plain_sum = variant(out=lambda z, n, h: z * h + n)
    tanh_of_result = variant(out=lambda z, n, h: torch.tanh((1 - z) * n + z * h))
    wrong_shape__three_d = variant(out=lambda z, n, h: ((1 - z) * n + z * h).unsqueeze(0))

    def exception__untransposed(x, h, w_ih, w_hh, b_ih, b_hh):
        return x @ w_ih + h @ w_hh + b_ih + b_hh

    def in_place__copied(x, h, w_ih, w_hh, b_ih, b_hh):
        h.copy_(Right.by_einsum(x, h, w_ih, w_hh, b_ih, b_hh))
        return h

    def wrong_type__with_output(x, h, w_ih, w_hh, b_ih, b_hh):
        new = Right.by_einsum(x, h, w_ih, w_hh, b_ih, b_hh)
        return "output", new

    unknown__odd = variant(out=lambda z, n, h: (1 - z) * n + z * h + 5)
