"""A base in four bits learns along the gradients of the model that it stands for, after an evaluation too."""

import inspect
from pathlib import Path

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from peft import LoraConfig, get_peft_model

from tests.trainer.tiny_base import configured
from trainer.base import Prepared, load, prepare, tokenizer

IDS = torch.arange(3, 67)[None]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(configured(tmp_path_factory.mktemp("tiny")))


def gradients(prepared: Prepared, *, dense: bool, evaluated: bool) -> tuple[torch.Tensor, float]:
    """Of the adapters of an NF4 model or of its dequantised twin, all in one, and the loss."""
    model = load(prepared, precision="nf4", compute="fp32")
    if evaluated:
        with torch.no_grad():
            model(IDS)
    if dense:
        model = model.dequantize()
    torch.manual_seed(7)
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False))
    adapted.train()
    loss = adapted(IDS, labels=IDS, use_cache=False).loss
    loss.backward()
    found = [one.grad.flatten().float() for _, one in sorted(adapted.named_parameters()) if one.grad is not None]
    return torch.cat(found), loss.item()


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")  # peft asks for it
@pytest.mark.parametrize("evaluated", [False, True], ids=["fresh", "after an evaluation"])
def test_gradients_in_four_bits_are_those_of_the_dequantised_model(tiny: Prepared, *, evaluated: bool) -> None:
    four, loss = gradients(tiny, dense=False, evaluated=evaluated)
    dense, same = gradients(tiny, dense=True, evaluated=False)
    assert four.shape == dense.shape
    assert float(torch.nn.functional.cosine_similarity(four, dense, dim=0)) >= 0.9999
    assert loss == pytest.approx(same, abs=1e-4)


def test_an_evaluation_leaves_the_weights_as_they_are(tiny: Prepared) -> None:
    model = load(tiny, precision="nf4", compute="bf16")
    before = [one.clone() for one in model.parameters()]
    with torch.no_grad():
        model(IDS)
    assert all(torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize(("precision", "kind"), [("bf16", torch.bfloat16), ("fp32", torch.float32)])
def test_dense_weights_have_the_type_that_is_asked_for(tiny: Prepared, precision: str, kind: torch.dtype) -> None:
    model = load(tiny, precision=precision, compute="bf16")  # type: ignore[arg-type]
    assert {one.dtype for one in model.parameters()} == {kind}
    assert not model.training
    assert model.config._attn_implementation == "sdpa"


def test_the_tokenizer_knows_its_own_words(tiny: Prepared) -> None:
    words = tokenizer(tiny)
    assert (words.bos_token_id, words.eos_token_id, words.pad_token) == (1, 2, "<unk>")
    assert words.chat_template == tiny.template == (Path(tiny.folder) / "chat_template.jinja").read_text()
    text = "Creatinine 1.2 mg/dL — naïve  é\n"
    assert words.decode(words.encode(text, add_special_tokens=False)) == text


def test_no_layer_repacks_its_weights(tiny: Prepared) -> None:
    """On the processors on which it would be done; the switch is bitsandbytes' own and must not change its name."""
    layers = [one for one in load(tiny, precision="nf4", compute="fp32").modules() if isinstance(one, Linear4bit)]
    assert len(layers) == 4 * 7
    assert not any(one.support_avx512bf16_for_cpu for one in layers)
    assert "self.support_avx512bf16_for_cpu" in inspect.getsource(Linear4bit.forward)
