"""What is left out of the last block: nothing that the logits or their gradients need."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import transformers

from emolens.encode.layers import first_token_only
from tests.encode.families import FAMILIES

# Their heads read the first token, and a module of its own joins attention with what entered it.
SHORTENED = {"bert", "camembert", "deberta", "deberta-v2", "electra", "roberta"}
SHORTENED |= {"xlm-roberta", "xlm-roberta-xl"}


def model_of(family: str, **changes: Any) -> Any:
    config = transformers.AutoConfig.for_model(
        family, **{**FAMILIES[family], "initializer_range": 0.3, **changes}
    )
    torch.manual_seed(4)
    return transformers.AutoModelForSequenceClassification.from_config(config)


def outcome(model: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """The logits of texts of different lengths, and the gradients of a loss."""
    torch.manual_seed(5)
    ids, mask = torch.randint(3, 90, (3, 8)), torch.ones(3, 8, dtype=torch.long)
    mask[0, 5:] = 0
    logits = model.eval()(ids, attention_mask=mask).logits
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 0])).backward()
    gradients = {n: w.grad for n, w in model.named_parameters() if w.grad is not None}
    return logits.detach(), gradients


def hooks_of(model: Any) -> int:
    return sum(len(module._forward_pre_hooks) for module in model.modules())


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_logits_and_gradients_stay_as_they_are(family: str) -> None:
    whole = model_of(family)
    short = copy.deepcopy(whole).train()
    first_token_only(short)
    assert short.training
    assert hooks_of(short) == (family in SHORTENED)
    (logits, gradients), (theirs, of_theirs) = outcome(short), outcome(whole)
    torch.testing.assert_close(logits, theirs, rtol=1e-4, atol=1e-5)
    assert gradients.keys() == of_theirs.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, of_theirs[name], rtol=1e-3, atol=1e-5)


def test_the_last_block_works_on_one_token() -> None:
    model, seen = model_of("bert"), []
    first_token_only(model)
    for block in model.bert.encoder.layer:
        block.intermediate.register_forward_pre_hook(lambda _, args: seen.append(args[0].shape[1]))
    model(torch.ones(2, 7, dtype=torch.long))
    assert seen == [7, 1]


def test_a_head_that_reads_all_tokens_gets_them() -> None:
    class MeanPooler(torch.nn.Module):
        """Like BERT's, but of the mean over all tokens."""

        def __init__(self, dense: Any) -> None:
            super().__init__()
            self.dense = dense

        def forward(self, states: torch.Tensor) -> torch.Tensor:
            return self.dense(states.mean(dim=1)).tanh()

    model = model_of("bert")
    model.bert.pooler = MeanPooler(model.bert.pooler.dense)
    first_token_only(model)
    assert hooks_of(model) == 0
