"""The head of a classifier: its layers, what enters them, and the division of its logits.

Knows nothing of families of encoders: it finds the layers by what they do.
"""

from __future__ import annotations

from typing import Any

from emolens.errors import require

_ROUNDING = 1e-5  # of a logit in fp32


def layer_inputs_of(model: Any, layer: Any) -> Any:
    """A torch module of (input_ids, attention_mask) that gives what enters a layer, (n, d).

    layer: a part of the model that runs once for a batch, such as last_layer.
    """
    torch = require("torch", "train")

    class LayerInputs(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.model, self.layer = model, layer

        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            inputs = []
            hook = self.layer.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
            try:
                self.model(input_ids, attention_mask=attention_mask)
            finally:
                hook.remove()
            return inputs[0]

    return LayerInputs()


def last_layer(model: Any) -> Any:
    """The linear layer that makes the logits of a classifier."""
    linear = require("torch", "train").nn.Linear
    encoder = set(model.base_model.modules())  # some families define it after the head
    head = (layer for layer in model.modules() if layer not in encoder)
    *_, last = (layer for layer in head if isinstance(layer, linear))
    return last


def tanh_layer(model: Any) -> Any | None:
    """The linear layer whose tanh enters the last layer of a classifier: BERT's pooler.

    None where the head has another shape. The families give it different names and places, so a
    text of two tokens shows which one it is.
    """
    torch, last = require("torch", "train"), last_layer(model)
    seen: dict[Any, Any] = {}

    def keep(layer: Any, args: Any, output: Any) -> None:
        seen[layer] = args[0] if layer is last else output.tanh()

    linear = (layer for layer in model.modules() if isinstance(layer, torch.nn.Linear))
    hooks = [layer.register_forward_hook(keep) for layer in linear]
    try:
        with torch.inference_mode():
            ids = torch.tensor([[1, 2]], device=last.weight.device)
            model.eval()(ids, attention_mask=torch.ones_like(ids))
    finally:
        for hook in hooks:
            hook.remove()
    wanted = seen.pop(last)
    return next((layer for layer, output in seen.items() if torch.equal(output, wanted)), None)


def first_token_only(model: Any) -> None:
    """Let the last block of a classifier compute the first token alone, where no other one counts.

    A head such as BERT's reads the first token of the last block. There attention needs all tokens,
    but what follows works on each token for itself: three quarters of the products of matrices in
    this block. A model whose logits would be others is left as it is.
    """
    torch = require("torch", "train")
    ids = torch.tensor([[1, 2, 3], [3, 1, 2]], device=last_layer(model).weight.device)
    was_training, joins = model.training, list[Any]()

    def logits() -> Any:
        with torch.inference_mode():
            return model.eval()(ids, attention_mask=torch.ones_like(ids)).logits

    def note(module: Any, args: Any) -> None:
        """Keep a module that joins two tensors (n, tokens, d): attention, and what entered it."""
        shapes = [getattr(each, "shape", ()) for each in args]
        if len(shapes) == 2 and shapes[0] == shapes[1] and shapes[0][:-1] == ids.shape:
            joins.append(module)

    def first(_: Any, args: Any) -> Any:
        return tuple(states[:, :1] for states in args)

    hooks = [module.register_forward_pre_hook(note) for module in model.modules()]
    whole = logits()
    for hook in hooks:
        hook.remove()
    if joins:
        hook = joins[-1].register_forward_pre_hook(first)
        try:
            same = (logits() - whole).abs().max() <= _ROUNDING * whole.abs().max()
        except (RuntimeError, ValueError, IndexError):  # the shapes of a head for all tokens
            same = False
        if not same:
            hook.remove()
    model.train(was_training)


def divide_logits(model: Any, temperature: float | tuple[float, ...]) -> None:
    """Divide the logits of a classifier by a number, or each one by its own, in its weights.

    The last layer makes the logits. So every program that loads these weights gets the divided
    logits.
    """
    torch, last = require("torch", "train"), last_layer(model)
    divisor = torch.as_tensor(temperature, dtype=last.weight.dtype, device=last.weight.device)
    with torch.no_grad():
        last.weight.div_(divisor.reshape(-1, 1))
        if last.bias is not None:
            last.bias.div_(divisor)
