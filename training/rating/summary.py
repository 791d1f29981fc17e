"""The ratings as Markdown: each system's means, how far the readers agree, and where one system loses."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from training.evaluation.bootstrap import Estimate, mean_over_requests, share_over_requests
from training.rating.agreement import agreement
from training.rating.ratings import Key, Ratings, by_request, chosen, systems_of
from training.rating.sheet import DIMENSIONS

_SHOWN = 40  # characters of a text


@dataclass(frozen=True)
class Loss:
    """A request for which a system's text is rated lower than another's, in one dimension.

    ``own`` and ``best`` are means over readers, ``winner`` the systems that wrote the best text.
    """

    request: str
    dimension: str
    own: float
    best: float
    winner: str
    own_text: str
    best_text: str


def mean_scores(readers: Sequence[Ratings], key: Key, system: str) -> dict[str, Estimate]:
    """By dimension the mean rating of a system's texts, over readers and requests, with the 95 % interval of a
    bootstrap over requests."""
    ids = _texts_of(key, system)
    requests = [key[id].request for id in ids for _ in readers]
    return {
        each.id: mean_over_requests([reader[id].scores[each.id] for id in ids for reader in readers], requests)
        for each in DIMENSIONS
    }


def sent_share(readers: Sequence[Ratings], key: Key, system: str) -> Estimate:
    """How often a system's text is the one that is sent, of requests and readers. A text of two systems counts for
    both, so that shares can add up to more than one."""
    choices = [chosen(reader, key) for reader in readers]
    requests = [request for request in by_request(key) for _ in readers]
    sent = [float(system in key[choice[request]].systems) for request in by_request(key) for choice in choices]
    return share_over_requests(sent, requests)


def losses(readers: Sequence[Ratings], key: Key, system: str) -> list[Loss]:
    """Where the best of the other texts is rated higher than the system's own, the widest gap first."""
    found = []
    for request, ids in by_request(key).items():
        own = next((id for id in ids if system in key[id].systems), None)
        others = [id for id in ids if id != own]
        if own is None or not others:
            continue
        for each in DIMENSIONS:
            means = {id: fmean(reader[id].scores[each.id] for reader in readers) for id in ids}
            best = max(others, key=lambda id: means[id])
            if means[best] > means[own]:
                winner = "+".join(key[best].systems)
                texts = key[own].text, key[best].text
                found.append(Loss(request, each.id, means[own], means[best], winner, *texts))
    order = [each.id for each in DIMENSIONS]
    return sorted(found, key=lambda loss: (loss.own - loss.best, order.index(loss.dimension), loss.request))


def gap(
    readers: Sequence[Ratings], key: Key, system: str, other: str, dimension: str
) -> tuple[Estimate, int, int, int]:
    """A system's rating minus another's for the same request, mean over requests with its interval; and for how many
    requests it is higher, as high, and lower."""
    own, others = ({key[id].request: id for id in _texts_of(key, each)} for each in (system, other))
    requests = [request for request in own if request in others]
    differences = [
        fmean(reader[own[request]].scores[dimension] - reader[others[request]].scores[dimension] for reader in readers)
        for request in requests
    ]
    signs = [(value > 0) - (value < 0) for value in differences]
    return mean_over_requests(differences, requests), signs.count(1), signs.count(0), signs.count(-1)


def markdown(readers: Sequence[Ratings], key: Key, system: str, worst: int) -> str:
    """All of it as one page.

    Args:
        readers: each with a rating of every text of the key.
        system: the one whose losses are listed.
        worst: how many of them, at most.
    """
    lines = [
        *_means(readers, key),
        "",
        *_agreements(readers, key),
        "",
        *(_gaps(readers, key, system) if system in systems_of(key) else ()),
        *(_losses(readers, key, system, worst) if system in systems_of(key) else ()),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _means(readers: Sequence[Ratings], key: Key) -> Iterator[str]:
    requests, texts = len(by_request(key)), len(key)
    yield (
        f"{len(readers)} 位读者，{requests} 个要求，{texts} 条文字；平均分（1–5），方括号是按要求重抽的 95 % 区间。 / "
        f"{len(readers)} readers, {requests} requests, {texts} texts; means from 1 to 5, in brackets 95 % of a "
        "bootstrap over requests."
    )
    yield ""
    yield from _head("系统 system", *_names(), "选它发出 sent")
    for system in systems_of(key):
        scores = [_figure(value) for value in mean_scores(readers, key, system).values()]
        sent = sent_share(readers, key, system)
        yield _row(system, *scores, f"{sent.value:.0%} [{sent.low:.0%}, {sent.high:.0%}]")


def _agreements(readers: Sequence[Ratings], key: Key) -> Iterator[str]:
    found = agreement(readers, key)
    if found is None:
        yield "只有一位读者，谈不上一致。 / One reader only, so there is no agreement to state."
        return
    yield (
        "读者之间的一致：四项是二次加权 kappa，“发哪条”是 Cohen kappa，各为两两平均；0 是碰巧，1 是全同。 / "
        "Agreement of readers, mean over pairs: kappa with quadratic weights, and Cohen's kappa of whose text is sent; "
        "0 is chance, 1 always the same."
    )
    yield ""
    yield from _head(*_names(), "发谁的 whose is sent", "选了同一条 same text")
    kappas = [*found.scores.values(), found.choice]
    yield _row(*("—" if value is None else f"{value:.2f}" for value in kappas), f"{found.same_choice:.0%}")


def _gaps(readers: Sequence[Ratings], key: Key, system: str) -> Iterator[str]:
    yield (
        f"{system} 减去别的系统（高/平/低的要求数）。 / "
        f"{system} minus another system (requests for which it is higher/as high/lower)."
    )
    yield ""
    yield from _head(f"{system} −", *_names())
    for other in systems_of(key):
        if other != system:
            cells = []
            for each in DIMENSIONS:
                value, higher, level, lower = gap(readers, key, system, other, each.id)
                cells.append(f"{value.value:+.2f} [{value.low:+.2f}, {value.high:+.2f}] ({higher}/{level}/{lower})")
            yield _row(other, *cells)
    yield ""


def _losses(readers: Sequence[Ratings], key: Key, system: str, worst: int) -> Iterator[str]:
    found = losses(readers, key, system)
    counts: defaultdict[str, int] = defaultdict(int)
    for loss in found:
        counts[loss.dimension] += 1
    requests = len({loss.request for loss in found})
    by_dimension = "，".join(f"{each.name.zh} {counts[each.id]}" for each in DIMENSIONS)
    yield (
        f"{system} 输在哪里：{requests} 个要求里至少一项不如最好的另一条（{by_dimension}）；差得最多的在前。 / "
        f"Where {system} loses: for {requests} requests it is below the best other text in something; widest gap first."
    )
    yield ""
    yield from _head("要求 request", "哪一项 in", system, "最好的另一条 best other", "文字 texts")
    names = {each.id: each.name.zh for each in DIMENSIONS}
    for loss in found[:worst]:
        texts = f"{_clipped(loss.own_text)} ⟷ {_clipped(loss.best_text)}"
        yield _row(loss.request, names[loss.dimension], f"{loss.own:.1f}", f"{loss.best:.1f} ({loss.winner})", texts)


def _names() -> list[str]:
    return [f"{each.name.zh} {each.name.en}" for each in DIMENSIONS]


def _head(*cells: str) -> list[str]:
    return [_row(*cells), _row(*("---" for _ in cells))]


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "｜") for cell in cells) + " |"


def _figure(value: Estimate) -> str:
    return f"{value.value:.2f} [{value.low:.2f}, {value.high:.2f}]"


def _clipped(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else line[:_SHOWN] + "…"


def _texts_of(key: Key, system: str) -> list[str]:
    return [id for id, text in key.items() if system in text.systems]
