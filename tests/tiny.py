"""A tiny random Qwen2 model, a Llama of the same size, and a tiny LoRA adapter: real files for real doors.

The weights are random but not shapeless. Every token's embedding holds one common direction (`_pattern`), so that
* the end of the turn can be given a probability: its output row points that way, Chinese pieces a little, bytes away;
* a LoRA delta can be far smaller than a quantization step in every single weight and still be felt in the output,
  because it is coherent along what the activations have in common. Real adapters are like that.
"""

import ctypes
import json
import struct
from collections.abc import Mapping
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

HIDDEN, FEED_FORWARD, LAYERS, HEADS, KV_HEADS, CONTEXT = 256, 512, 2, 4, 2, 2048
RANK, ALPHA = 4, 8
# How far output rows point along the pattern: the end of the turn, and what is not Chinese text.
END_PULL = 13.0
AWAY = -12.0
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA_SPECIALS = ("<|begin_of_text|>", "<|end_of_text|>")
PATTERN_SEED, WEIGHT_SEED, ADAPTER_SEED, RELATIVE_SEED = 1, 2, 3, 4

COVERED = (
    "写祝福关系语气场合篇幅称呼生肖细节落款领导父母朋友同事客户老师邻居团队群发挚友爱人恋人孩子学生前辈亲戚长辈祖辈"
    "庄重温暖俏皮幽默诗意古雅真诚简洁春节除夕元宵小年拜年初一短中长鼠牛虎兔龙蛇马羊猴鸡狗猪年新快乐祝你您身体健康"
    "万事如意工作顺利阖家幸福平安喜红包灯火烟花雪夜饺子汤圆桌饭菜酒茶回家路上慢点开心笑声窗外月亮天地人间一二三四"
    "五六七八九十百千多少去今明日时候里有我他她们的了在是不和就也都还要会能好大小又把给让到得很再没过来说想看听"
    "，。！？；：“”、…～《》（）"
)
COVERED_WORDS = (
    "新年",
    "快乐",
    "祝福",
    "新年快乐",
    "您",
    "万事",
    "如意",
    "万事如意",
    "，祝",
    "。",
    "关系",
    "语气",
    "称呼",
)
ENGLISH = ("user", "assistant", "the", " the", "ing", "tion", "\n\n", "  ", "12", "ok", "Qt")
UNCOVERED = (
    "Ж",
    "Жи",
    "한",
    "한국",
    "ñ",
    "año",
    "ا",
    "ال",
    "日本語です",
    "です",
    "喆",
    "陳",
    "function",
    " return",
    "();\n",
)
EMOJI = ("😄", "🎉", "❤")


def byte_letters() -> dict[int, str]:
    """GPT-2's letter for each byte (encoder.py of openai/gpt-2, ``bytes_to_unicode``)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in plain}
    for extra, byte in enumerate(byte for byte in range(256) if byte not in letters):
        letters[byte] = chr(256 + extra)
    return letters


def _vocabulary(specials: tuple[str, ...]) -> tuple[list[str], list[int], list[str]]:
    """Tokens, their types, and the merges: bytes into characters, characters into words, left to right."""
    letters = byte_letters()
    tokens = [letters[byte] for byte in sorted(letters, key=lambda byte: letters[byte])]
    known = set(tokens)
    merges: list[str] = []

    def add(parts: list[str]) -> str:
        whole = parts[0]
        for part in parts[1:]:
            pair, whole = f"{whole} {part}", whole + part
            if whole not in known:
                merges.append(pair)
                tokens.append(whole)
                known.add(whole)
        return whole

    def character(text: str) -> str:
        return add([letters[byte] for byte in text.encode()])

    for text in dict.fromkeys(COVERED):
        character(text)
    for text in EMOJI[:2]:
        character(text)
    for word in (*COVERED_WORDS, *ENGLISH, *UNCOVERED):
        add([character(text) for text in word])
    types = [gguf.TokenType.NORMAL] * len(tokens)
    tokens += specials
    types += [gguf.TokenType.CONTROL] * len(specials)
    unused = -len(tokens) % 64 + 64
    tokens += [f"[PAD{len(tokens) + index}]" for index in range(unused)]
    types += [gguf.TokenType.UNUSED] * unused
    return tokens, [int(kind) for kind in types], merges


def _pattern() -> np.ndarray:
    """The direction all embeddings share: every hidden dimension +1 or -1."""
    return np.random.default_rng(PATTERN_SEED).choice(np.array([-1.0, 1.0], np.float32), HIDDEN)


def _weights(tokens: list[str], end: str, *, biases: bool) -> dict[str, np.ndarray]:
    """``end`` is the token that ends a turn."""
    rng = np.random.default_rng(WEIGHT_SEED)
    pattern = _pattern()
    kv = HIDDEN // HEADS * KV_HEADS

    def random(rows: int, columns: int, gain: float = 1.0) -> np.ndarray:
        return (rng.standard_normal((rows, columns)) * gain / np.sqrt(columns)).astype(np.float32)

    output = random(len(tokens), HIDDEN, 2.2)
    letters = {letter: byte for byte, letter in byte_letters().items()}
    for index, token in enumerate(tokens):
        text = bytes(letters.get(letter, 0) for letter in token).decode("utf-8", "replace")
        towards = 0.0 if all(character in COVERED for character in text) else AWAY
        output[index] += (END_PULL if token == end else towards) * pattern / HIDDEN
    found = {
        "token_embd.weight": (rng.standard_normal((len(tokens), HIDDEN)) + 0.8 * pattern).astype(np.float32),
        "output.weight": output,
        "output_norm.weight": np.ones(HIDDEN, np.float32),
    }
    for layer in range(LAYERS):
        found |= {
            f"blk.{layer}.attn_norm.weight": np.ones(HIDDEN, np.float32),
            f"blk.{layer}.ffn_norm.weight": np.ones(HIDDEN, np.float32),
            f"blk.{layer}.attn_q.weight": random(HIDDEN, HIDDEN, 1.5),
            f"blk.{layer}.attn_k.weight": random(kv, HIDDEN, 1.5),
            f"blk.{layer}.attn_v.weight": random(kv, HIDDEN, 1.5),
            f"blk.{layer}.attn_output.weight": random(HIDDEN, HIDDEN, 1.5),
            f"blk.{layer}.attn_q.bias": (rng.standard_normal(HIDDEN) * 0.1).astype(np.float32),
            f"blk.{layer}.attn_k.bias": (rng.standard_normal(kv) * 0.1).astype(np.float32),
            f"blk.{layer}.attn_v.bias": (rng.standard_normal(kv) * 0.1).astype(np.float32),
            f"blk.{layer}.ffn_gate.weight": random(FEED_FORWARD, HIDDEN, 1.5),
            f"blk.{layer}.ffn_up.weight": random(FEED_FORWARD, HIDDEN, 1.5),
            f"blk.{layer}.ffn_down.weight": random(HIDDEN, FEED_FORWARD, 1.5),
        }
    return {name: weight for name, weight in found.items() if biases or not name.endswith(".bias")}


def write_float_base(path: Path, kind: type[np.floating] = np.float16) -> None:
    """The tiny model in F16 (norms and biases F32), as a converter would write it, or in another kind of floats."""
    tokens, types, merges = _vocabulary(SPECIALS)
    writer = _writer(path, "qwen2", tokens, types, merges)
    writer.add_tokenizer_pre("qwen2")
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_pad_token_id(tokens.index("<|endoftext|>"))
    writer.add_bos_token_id(tokens.index("<|endoftext|>"))
    writer.add_add_bos_token(False)
    _finish(writer, _weights(tokens, "<|im_end|>", biases=True), kind)


def write_float_llama_base(path: Path) -> None:
    """A tiny Llama 3 in F16: no biases, rotary frequencies scaled by factors of its own, a BOS before every text, and
    no ``<|im_end|>``, so that EOS ends a turn.

    The rows of its q and k are random, so they may be taken to be in the order a Llama's converter leaves them in.
    """
    tokens, types, merges = _vocabulary(LLAMA_SPECIALS)
    writer = _writer(path, "llama", tokens, types, merges)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_pre("llama-bpe")
    begin, end = (tokens.index(special) for special in LLAMA_SPECIALS)
    writer.add_bos_token_id(begin)
    writer.add_eos_token_id(end)
    writer.add_add_bos_token(True)
    factors = np.linspace(1.0, 8.0, HIDDEN // HEADS // 2, dtype=np.float32)
    _finish(writer, {"rope_freqs.weight": factors, **_weights(tokens, LLAMA_SPECIALS[1], biases=False)})


def write_float_relative(path: Path, family: str) -> None:
    """A tiny ``qwen3``, ``gemma2`` or ``gemma3`` in F16, with the norms these families add, in Qwen's vocabulary.

    Heads of a Qwen3 have 128 dimensions, as all that were published. Gemmas tie their embeddings and squash what they
    compute, so theirs are small.
    """
    tokens, types, merges = _vocabulary(SPECIALS)
    writer = _writer(path, family, tokens, types, merges)
    writer.add_tokenizer_pre("qwen2")
    writer.add_eos_token_id(tokens.index("<|im_end|>"))
    writer.add_add_bos_token(False)
    writer.add_vocab_size(len(tokens))
    weights = _weights(tokens, "<|im_end|>", biases=False)
    rng = np.random.default_rng(RELATIVE_SEED)
    head = 128 if family == "qwen3" else HIDDEN // HEADS
    writer.add_key_length(head)
    writer.add_value_length(head)
    if family == "qwen3":
        for name, weight in weights.items():
            if ".attn_" in name and weight.ndim == 2:
                wide = name.endswith("attn_output.weight")
                shape = (HIDDEN, HEADS * head) if wide else (len(weight) * head * HEADS // HIDDEN, HIDDEN)
                weights[name] = (rng.standard_normal(shape) * 1.5 / np.sqrt(shape[1])).astype(np.float32)
    else:
        writer.add_sliding_window(1024)
        del weights["output.weight"]
        weights["token_embd.weight"] *= 0.1
    if family == "gemma2":
        writer.add_attn_logit_softcapping(50.0)
        writer.add_final_logit_softcapping(30.0)
    added = {"attn_q_norm": head, "attn_k_norm": head} if family != "gemma2" else {}
    if family != "qwen3":
        added |= {"post_attention_norm": HIDDEN, "post_ffw_norm": HIDDEN}
    for layer in range(LAYERS):
        for name, size in added.items():
            weights[f"blk.{layer}.{name}.weight"] = (1 + 0.1 * rng.standard_normal(size)).astype(np.float32)
    _finish(writer, weights)


def _writer(path: Path, family: str, tokens: list[str], types: list[int], merges: list[str]) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, family)
    writer.add_name("Tiny")
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")
    return writer


def _finish(writer: gguf.GGUFWriter, weights: Mapping[str, np.ndarray], kind: type[np.floating] = np.float16) -> None:
    for name, weight in weights.items():
        writer.add_tensor(name, weight.astype(kind) if weight.ndim == 2 else weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# llama.cpp's log cuts long values in the middle of characters, which the binding's own printer stumbles over.
_SILENT = llama_cpp.llama_log_callback(lambda level, text, data: None)


def quantize(source: Path, target: Path, type_name: str = "Q4_K_M") -> None:
    """``source`` as Q4_K_M or another type, the ordinary way."""
    llama_cpp.llama_log_set(_SILENT, ctypes.c_void_p(0))
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{type_name}")
    params.allow_requantize = True
    params.nthread = 2
    code = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), params)
    assert code == 0, f"llama_model_quantize answered {code}"


def adapter_tensors(rank: int = RANK, size: float = 0.03) -> dict[str, np.ndarray]:
    """A and B of every projection, as PEFT names them.

    B·A·alpha/r has about ``size`` of the standard deviation of the weight it is added to: a twelfth of a Q4_K step.
    """
    rng = np.random.default_rng(ADAPTER_SEED)
    pattern = _pattern()
    kv = HIDDEN // HEADS * KV_HEADS
    shapes = {
        "self_attn.q_proj": (HIDDEN, HIDDEN),
        "self_attn.k_proj": (kv, HIDDEN),
        "self_attn.v_proj": (kv, HIDDEN),
        "self_attn.o_proj": (HIDDEN, HIDDEN),
        "mlp.gate_proj": (FEED_FORWARD, HIDDEN),
        "mlp.up_proj": (FEED_FORWARD, HIDDEN),
        "mlp.down_proj": (HIDDEN, FEED_FORWARD),
    }
    tensors: dict[str, np.ndarray] = {}
    for layer in range(LAYERS):
        for name, (rows, columns) in shapes.items():
            down = rng.standard_normal((rank, columns)).astype(np.float32)
            if columns == HIDDEN:
                down[0] = pattern  # what every activation has in common
            up = rng.standard_normal((rows, rank)).astype(np.float32)
            wanted = size * 1.5 / np.sqrt(columns)
            up *= wanted / np.std(up @ down) * rank / ALPHA
            prefix = f"base_model.model.model.layers.{layer}.{name}"
            tensors |= {f"{prefix}.lora_A.weight": down, f"{prefix}.lora_B.weight": up}
    return tensors


def to_bfloat16(values: np.ndarray) -> np.ndarray:
    """Float32 rounded to the nearest bfloat16, as its 16 bits."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def write_safetensors(path: Path, tensors: Mapping[str, np.ndarray], kind: str = "BF16") -> None:
    """A safetensors file (https://github.com/huggingface/safetensors#format) of BF16, F16 or F32 tensors."""
    packed = {
        name: to_bfloat16(value) if kind == "BF16" else value.astype({"F16": np.float16, "F32": np.float32}[kind])
        for name, value in tensors.items()
    }
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, value in packed.items():
        header[name] = {"dtype": kind, "shape": list(value.shape), "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    raw = json.dumps(header).encode()
    raw += b" " * (-len(raw) % 8)
    path.write_bytes(struct.pack("<Q", len(raw)) + raw + b"".join(value.tobytes() for value in packed.values()))


def write_adapter(folder: Path, tensors: Mapping[str, np.ndarray] | None = None, **config: object) -> Path:
    """A PEFT adapter folder; ``config`` overrides what adapter_config.json says."""
    folder.mkdir(parents=True, exist_ok=True)
    write_safetensors(folder / "adapter_model.safetensors", adapter_tensors() if tensors is None else tensors)
    settings: dict[str, object] = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": RANK, "lora_alpha": ALPHA}
    settings |= {"bias": "none", "rank_pattern": {}, "alpha_pattern": {}, "use_rslora": False, "use_dora": False}
    (folder / "adapter_config.json").write_text(json.dumps(settings | config), encoding="utf-8")
    return folder
