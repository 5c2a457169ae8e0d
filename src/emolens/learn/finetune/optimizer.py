"""AdamW on weights in fp32, for a model whose batches touch few rows of its largest matrix.

torch's AdamW updates the dense weights. Of the word embeddings a batch touches some hundred rows,
and the others only go on along their last moments and decay: these steps have a closed form, which
is computed for a row when it is needed. So the result is AdamW's, in half the time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from emolens.errors import require

_BETAS = (0.9, 0.999)
_EPSILON = 1e-8
_MOMENTS = ("exp_avg", "exp_avg_sq")
_LARGEST_NORM = 1.0  # of the gradient; the Trainer's default
# After so many steps a moment moves its row by less than one part in ten million.
_WINDOW = 160
_PART = 2048  # rows that are brought up to date at once, which bounds the memory


class AdamW:
    """Updates `weights`, (fp32 parameters by name), from gradients.

    decayed: the names of those that weight decay makes smaller, by `decay`. rows: the name of the
    matrix whose gradient comes by row, if there is one. rates: the learning rate of each step.
    """

    def __init__(
        self,
        weights: Mapping[str, Any],
        *,
        decayed: set[str],
        decay: float,
        rates: Sequence[float],
        rows: str | None = None,
    ) -> None:
        self._torch = torch = require("torch", "train")
        self._dense = {name: weight for name, weight in weights.items() if name != rows}
        self._totals = {name: torch.zeros_like(weight) for name, weight in self._dense.items()}
        groups = [
            {
                "params": [w for name, w in self._dense.items() if (name in decayed) is there],
                "weight_decay": d,
            }
            for there, d in ((True, decay), (False, 0.0))
        ]
        self._adam = torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=1.0,
            betas=_BETAS,
            eps=_EPSILON,
            fused=True,
        )
        self.rates = rates
        self.step = 0
        self.rows = Rows(weights[rows], rates, decay if rows in decayed else 0.0) if rows else None
        self._row_name = rows

    def update(self, gradients: Sequence[Mapping[str, Any]]) -> float:
        """Take the sum of the gradients of each worker, and make one step; the norm of the sum."""
        torch, every = self._torch, self._added_up(gradients)
        touched = None
        if self.rows and self._row_name:
            touched = self.rows.gathered([g[self._row_name] for g in gradients])
            every.append(touched[1])
        norm = float(torch.nn.utils.get_total_norm(every))
        if norm > _LARGEST_NORM:
            torch._foreach_mul_(every, _LARGEST_NORM / (norm + 1e-6))
        rate = self.rates[self.step]
        for group in self._adam.param_groups:
            group["lr"] = rate
        self._adam.step()
        self.step += 1
        if self.rows and touched is not None:
            self.rows.update(*touched, step=self.step)
        return norm

    def _added_up(self, gradients: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Give each dense weight the sum of its gradients; returns the sums.

        A weight without one takes no part in the logits, and stays as it is.
        """
        torch, totals = self._torch, self._totals
        parts = {name: [g[name] for g in gradients if g[name] is not None] for name in totals}
        for name, weight in self._dense.items():
            weight.grad = totals[name] if parts[name] else None
        for place in range(len(gradients)):
            there = [name for name in totals if len(parts[name]) > place]
            if there:
                add = torch._foreach_add_ if place else torch._foreach_copy_
                add([totals[name] for name in there], [parts[name][place] for name in there])
        return [total for name, total in totals.items() if parts[name]]

    def arrays(self) -> dict[str, Any]:
        """The moments, by name; with the weights and the number of steps they are all its state."""
        state = self._adam.state
        of_dense = {
            f"{moment}.{name}": state[weight][moment]
            for name, weight in self._dense.items()
            if weight in state
            for moment in _MOMENTS
        }
        return of_dense | (self.rows.arrays() if self.rows else {})

    def restore(self, arrays: Mapping[str, Any], *, step: int) -> None:
        """Take over the moments after `step` steps. The weights are not among them."""
        torch = self._torch
        for name, weight in self._dense.items():
            moments = {m: arrays[f"{m}.{name}"] for m in _MOMENTS if f"{m}.{name}" in arrays}
            if moments:
                there = {
                    m: torch.as_tensor(a).to(weight.device).clone() for m, a in moments.items()
                }
                # torch's fused AdamW counts on the device of the weight.
                count = torch.tensor(float(step), device=weight.device)
                self._adam.state[weight] = {"step": count, **there}
        self.step = step
        if self.rows:
            self.rows.restore(arrays, step=step)


class Rows:
    """AdamW for a matrix of which each step touches few rows.

    A row that is not touched in step i moves by -a_i · m / √v, where its moments m and v have
    shrunk by the factors of Adam, and a_i is the step's rate with Adam's correction. The sum of
    what the steps since step t move is kept for each t (`_since`), as a multiple of m / √v, so a
    row is brought up to date by one multiplication.
    """

    def __init__(self, weight: Any, rates: Sequence[float], decay: float) -> None:
        self._torch = torch = require("torch", "train")
        self._weight = weight.data
        self._m, self._v = torch.zeros_like(self._weight), torch.zeros_like(self._weight)
        self._last = np.zeros(len(self._weight), dtype=np.int64)
        self._rates, self._decay = rates, decay
        self._since = np.zeros(len(rates) + 1)
        kept = [1.0]
        for rate in rates:
            kept.append(kept[-1] * (1 - rate * decay))
        self._kept = np.array(kept)  # what decay leaves of a weight after each step
        self._step = 0

    def gathered(self, gradients: Sequence[Any]) -> tuple[np.ndarray, Any]:
        """The sum of sparse gradients: the rows that they touch, in order, and (rows, d) values."""
        torch = self._torch
        indices = torch.cat([g._indices()[0] for g in gradients])
        values = torch.cat([g._values() for g in gradients]).float()
        rows, place = torch.unique(indices, return_inverse=True)
        summed = torch.zeros(len(rows), values.shape[1]).index_add_(0, place, values)
        return rows.numpy(), summed

    def bring_up_to_date(self, rows: np.ndarray | None = None) -> None:
        """Make the steps that these rows, each named once, have not made yet; None for all."""
        rows = np.arange(len(self._last)) if rows is None else rows
        rows = rows[self._last[rows] < self._step]
        for start in range(0, len(rows), _PART):
            self._catch_up(rows[start : start + _PART])

    def _catch_up(self, rows: np.ndarray) -> None:
        torch, last = self._torch, self._last[rows]
        waited = (self._step - last).astype(np.float64)
        index = torch.from_numpy(rows)
        m, v, weight = self._m[index], self._v[index], self._weight[index]
        moved = self._column(self._since[last])
        # Adam's ε as it was in the first of these steps, in which the row moves most.
        epsilon = self._column(_EPSILON * np.sqrt(1 - _BETAS[1] ** (last + 1.0)))
        weight.mul_(self._column(self._kept[self._step] / self._kept[last]))
        weight.addcdiv_(m * moved, v.sqrt().add_(epsilon), value=-1.0)
        self._weight[index] = weight
        self._m[index] = m.mul_(self._column(_BETAS[0] ** waited))
        self._v[index] = v.mul_(self._column(_BETAS[1] ** waited))
        self._last[rows] = self._step

    def _column(self, values: np.ndarray) -> Any:
        return self._torch.from_numpy(values.astype(np.float32)).unsqueeze(1)

    def update(self, rows: np.ndarray, gradients: Any, *, step: int) -> None:
        """Make step number `step`, counted from 1, for rows that are up to date."""
        index = self._torch.from_numpy(rows)
        m = self._m[index].lerp_(gradients, 1 - _BETAS[0])
        v = self._v[index].mul_(_BETAS[1]).addcmul_(gradients, gradients, value=1 - _BETAS[1])
        rate, root = self._corrected(step)
        weight = self._weight[index].mul_(1 - self._rates[step - 1] * self._decay)
        weight.addcdiv_(m, v.sqrt().add_(_EPSILON * root), value=-rate)
        self._weight[index], self._m[index], self._v[index] = weight, m, v
        self._advance(step)
        self._last[rows] = step

    def _corrected(self, step: int) -> tuple[float, float]:
        """The learning rate with the correction of both moments, and the root of that of v."""
        root = math.sqrt(1 - _BETAS[1] ** step)
        return self._rates[step - 1] * root / (1 - _BETAS[0] ** step), root

    def _advance(self, step: int) -> None:
        """Add what step number `step` moves to the sums of all earlier steps."""
        first = max(step - _WINDOW, 0)
        waited = np.arange(step - first, 0, -1)
        shrunk = (_BETAS[0] / math.sqrt(_BETAS[1])) ** waited
        self._since[:step] *= 1 - self._rates[step - 1] * self._decay
        self._since[first:step] += self._corrected(step)[0] * shrunk
        self._step = step

    def arrays(self) -> dict[str, Any]:
        """The state, as in AdamW.arrays."""
        return {"rows.m": self._m, "rows.v": self._v, "rows.last": self._last}

    def restore(self, arrays: Mapping[str, Any], *, step: int) -> None:
        """As in AdamW.restore."""
        self._m.copy_(self._torch.as_tensor(arrays["rows.m"]))
        self._v.copy_(self._torch.as_tensor(arrays["rows.v"]))
        self._last[:] = np.asarray(arrays["rows.last"])
        self._since[:] = 0
        for earlier in range(1, step + 1):
            self._advance(earlier)
