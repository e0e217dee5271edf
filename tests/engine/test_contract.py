"""What every chat engine does, the fake one and the real one alike."""

import signal
import threading
import time

import psutil
import pytest

from lumen_desktop.children import Limits
from lumen_desktop.engine import ChatEngine, Finished, Sampling, TextDelta, Turn
from lumen_desktop.errors import EngineError, InputError
from tests.engine.conftest import CONTEXT_TOKENS, MakeChat

SHORT = Sampling(answer_tokens=12)
LONG = Sampling(answer_tokens=400)
SOURCES = "Laboratory errors occur when analysts make mistakes in following the method of analysis. " * 100
IMPATIENT = Limits(first_timeout_s=1.5, next_timeout_s=1.5, stop_timeout_s=1.0)


def asked(question: str) -> list[Turn]:
    return [Turn("system", "You answer questions about good manufacturing practice."), Turn("user", question)]


QUESTION = asked("Write a long text about the duties of a quality unit: batches, records, complaints and training.")


def answer(engine: ChatEngine, turns: list[Turn], sampling: Sampling = SHORT) -> tuple[str, Finished]:
    events = list(engine.generate(turns, sampling))
    *deltas, last = events
    assert isinstance(last, Finished)
    assert all(isinstance(delta, TextDelta) for delta in deltas)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), last


def works(engine: ChatEngine) -> bool:
    text, finished = answer(engine, QUESTION)
    return bool(text) and finished.answer_tokens > 0


def refused(engine: ChatEngine, turns: list[Turn] = QUESTION, sampling: Sampling = LONG) -> EngineError:
    with pytest.raises(EngineError) as caught:
        list(engine.generate(turns, sampling))
    return caught.value


def signalled(engine: ChatEngine, number: signal.Signals, after_deltas: int) -> EngineError:
    """The error of an answer during which the process got a signal."""
    stream = engine.generate(QUESTION, LONG)
    for _ in range(after_deltas):
        next(stream)
    psutil.Process(engine.pid).send_signal(number)
    with pytest.raises(EngineError) as caught:
        list(stream)
    return caught.value


def test_it_describes_itself(make_chat: MakeChat) -> None:
    engine = make_chat()
    engine.start()
    assert engine.pid
    description = engine.describe()
    assert description.role == "chat"
    assert description.context_tokens == CONTEXT_TOKENS
    assert 0 < description.rss_bytes < 2**31
    assert description.runtime


def test_it_streams_and_ends_with_figures(make_chat: MakeChat) -> None:
    engine = make_chat(pace_s=0.05)
    events = list(engine.generate(QUESTION, SHORT))
    assert len(events) > 3
    text, finished = answer(engine, QUESTION)
    assert text == "".join(event.text for event in events if isinstance(event, TextDelta))
    assert finished.reason == "length"
    assert finished.answer_tokens == SHORT.answer_tokens
    assert finished.prompt_tokens == engine.count_tokens(QUESTION)
    assert finished.prompt_s >= 0
    assert finished.generate_s > 0


def test_the_same_request_has_the_same_answer(make_chat: MakeChat) -> None:
    engine = make_chat()
    drawn = Sampling(temperature=1.0, top_p=0.9, seed=7, answer_tokens=24)
    first = answer(engine, QUESTION, drawn)[0]
    assert answer(engine, QUESTION, drawn)[0] == first
    assert answer(engine, QUESTION, Sampling(temperature=1.0, top_p=0.9, seed=8, answer_tokens=24))[0] != first
    assert answer(make_chat(), QUESTION, drawn)[0] == first


def test_requests_follow_each_other_in_one_process(make_chat: MakeChat) -> None:
    engine = make_chat()
    assert works(engine)
    before = engine.pid
    assert answer(engine, asked("What is a batch?"))[0] != answer(engine, QUESTION)[0]
    assert engine.pid == before


@pytest.mark.alone
def test_stop_while_the_prompt_is_read(make_chat: MakeChat) -> None:
    engine = make_chat(prompt_s=5.0)
    engine.describe()
    stopped_at = [0.0]

    def stop() -> None:
        stopped_at[0] = time.monotonic()
        engine.stop()

    threading.Timer(0.4, stop).start()
    text, finished = answer(engine, asked(SOURCES), LONG)
    assert (text, finished.reason, finished.answer_tokens) == ("", "stopped", 0)
    assert time.monotonic() - stopped_at[0] < 1.0  # the bench measures; this only tells a stop from an end


def test_stop_while_it_writes(make_chat: MakeChat) -> None:
    engine = make_chat(pace_s=0.05)
    deltas = 0
    for event in engine.generate(QUESTION, LONG):
        deltas += isinstance(event, TextDelta)
        if deltas == 4:
            engine.stop()
    assert isinstance(event, Finished)
    assert event.reason == "stopped"
    assert 4 <= event.answer_tokens < 100
    assert works(engine)


def test_a_reader_that_goes_away_stops_it(make_chat: MakeChat) -> None:
    engine = make_chat(pace_s=0.05)
    for _ in engine.generate(QUESTION, LONG):
        before = engine.pid
        break
    assert works(engine)
    assert engine.pid == before


@pytest.mark.alone
@pytest.mark.parametrize("question", [SOURCES * 4, "x" * 100_000], ids=["words", "100,000 characters"])
def test_a_prompt_that_does_not_fit_is_refused_with_figures(make_chat: MakeChat, question: str) -> None:
    engine = make_chat(context_tokens=CONTEXT_TOKENS)
    if engine.count_tokens(asked(question)) < CONTEXT_TOKENS:
        pytest.skip("the fake counts words")
    began = time.monotonic()
    error = refused(engine, asked(question), SHORT)
    assert error.code == "ENG-020"
    assert str(CONTEXT_TOKENS) in error.message
    assert str(SHORT.answer_tokens) in error.message
    assert time.monotonic() - began < 2.0
    assert works(engine)


@pytest.mark.parametrize("turns", [[], asked(""), asked(" \n ")])
def test_nothing_asked_is_refused_without_the_process(make_chat: MakeChat, turns: list[Turn]) -> None:
    engine = make_chat()
    with pytest.raises(InputError) as caught:
        engine.generate(turns, SHORT)
    assert caught.value.code == "ENG-021"
    assert engine.pid is None


def test_control_tokens_in_a_text_are_text(make_chat: MakeChat) -> None:
    engine = make_chat()
    plain = engine.count_tokens(asked("one two"))
    assert engine.count_tokens(asked("one <|im_end|> <|im_start|> two")) > plain + 1
    assert works(engine)


def test_text_beyond_ascii_goes_in_and_comes_out_whole(make_chat: MakeChat) -> None:
    engine = make_chat()
    text, _ = answer(engine, asked("Repeat: µ ≤ °C 药 😀 \ud800 é \x00 end"), Sampling(answer_tokens=40))
    assert text
    assert "\ufffd" not in text


def test_a_crash_is_one_error_and_the_next_request_works(make_chat: MakeChat) -> None:
    engine = make_chat(pace_s=0.05)
    assert signalled(engine, signal.SIGABRT, 2).code == "ENG-002"
    assert works(engine)


def test_kill_is_one_error_and_the_next_request_works(make_chat: MakeChat) -> None:
    engine = make_chat(prompt_s=3.0)
    engine.describe()
    threading.Timer(0.3, lambda: psutil.Process(engine.pid).kill()).start()
    assert refused(engine, asked(SOURCES)).code == "ENG-002"
    assert engine.count_tokens(QUESTION)


def test_a_hang_is_one_error_and_the_next_request_works(make_chat: MakeChat) -> None:
    engine = make_chat(limits=IMPATIENT, pace_s=0.05)
    assert signalled(engine, signal.SIGSTOP, 2).code == "ENG-005"
    assert works(engine)


def test_three_failures_end_in_safe_mode(make_chat: MakeChat) -> None:
    engine = make_chat(pace_s=0.05)
    assert [signalled(engine, signal.SIGKILL, 1).code for _ in range(3)] == ["ENG-002"] * 3
    error = refused(engine)
    assert error.code == "ENG-003"
    assert error.hint
