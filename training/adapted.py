"""A frozen projection with its LoRA adapter as one autograd function, which keeps no more than it needs.

The numbers are PEFT's own up to rounding. What PEFT knows beyond plain LoRA (dropout, adapters switched off) stays its.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class _Adapted(torch.autograd.Function):
    """``x Wᵀ + b + scale · (x Aᵀ) Bᵀ``, for a frozen W and b.

    Beyond its inputs it keeps only ``x Aᵀ``. ``W`` is (outputs, inputs), ``A`` (rank, inputs), ``B`` (outputs, rank),
    ``x`` (…, inputs). ``transposed`` is W once more as (inputs, outputs): on processors the product with a matrix laid
    out that way is faster than with the transposed view of W.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, transposed: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        rows = x.reshape(-1, x.shape[-1])
        out = torch.mm(rows, transposed) if bias is None else torch.addmm(bias, rows, transposed)
        low = rows @ a.t()
        out.addmm_(low, b.t(), alpha=scale)
        ctx.save_for_backward(rows, weight, a, b, low)
        ctx.scale = scale
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight, a, b, low = ctx.saved_tensors
        gradient = gradients[0]
        grad = gradient.reshape(-1, gradient.shape[-1])
        grad_low = (grad @ b).mul_(ctx.scale)
        grad_b = (low.t() @ grad).t().mul(ctx.scale)
        grad_a = grad_low.t() @ rows
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_x = (grad @ weight).addmm_(grad_low, a).view(*gradient.shape[:-1], -1)
        return grad_x, None, None, None, grad_a, grad_b, None


def speed_up(network: nn.Module) -> None:
    """Let every adapted projection without dropout compute as :class:`_Adapted`; PEFT's own way stays for the rest.

    The network's weights must already be of the type and on the device they stay on.
    """
    from peft.tuners.lora import Linear

    for module in network.modules():
        if isinstance(module, Linear) and isinstance(module.lora_dropout["default"], nn.Identity):
            module.forward = _adapted_forward(module)  # type: ignore[method-assign,assignment]


def _adapted_forward(module: Any) -> Callable[[Tensor], Tensor]:
    base = module.base_layer
    weight = base.weight
    transposed = weight.detach().t().contiguous() if weight.device.type == "cpu" else weight.detach().t()
    down, up, scale = module.lora_A["default"], module.lora_B["default"], module.scaling["default"]
    plain = type(module).forward

    def forward(x: Tensor) -> Tensor:
        if module.disable_adapters:
            result: Tensor = plain(module, x)
            return result
        out: Tensor = _Adapted.apply(x, weight, transposed, base.bias, down.weight, up.weight, scale)
        return out

    return forward
