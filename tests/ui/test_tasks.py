"""Work leaves the interface's thread and its results come back there, in order, or not at all."""

import sys
import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject, QThread
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from lumen_desktop.errors import InputError, LumenError, Stopped
from lumen_desktop.ui import errors, tasks
from lumen_desktop.ui.widgets import Banner

REFUSAL = InputError("The question is empty.", code="ASK-001", hint="Ask in words.")


@pytest.fixture
def owner(qapp: QApplication) -> QObject:
    return QObject(qapp)


def refuse() -> None:
    raise REFUSAL


def test_a_result_comes_back_in_the_interfaces_thread(qtbot: QtBot, owner: QObject) -> None:
    seen: list[tuple[int, bool]] = []

    def work() -> int:
        assert threading.current_thread() is not threading.main_thread()
        return 42

    with qtbot.waitSignal(tasks.run(owner, work, lambda n: seen.append((n, QThread.isMainThread()))).finished):
        assert not seen
    assert seen == [(42, True)]


def test_events_come_in_order_and_before_the_end(qtbot: QtBot, owner: QObject) -> None:
    seen: list[int] = []
    with qtbot.waitSignal(tasks.stream(owner, lambda: iter(range(500)), seen.append).finished):
        pass
    assert seen == list(range(500))


def test_a_refusal_goes_where_it_is_wanted(qtbot: QtBot, owner: QObject) -> None:
    refused: list[LumenError] = []
    with qtbot.waitSignal(tasks.run(owner, refuse, lambda _: None, refused.append).finished):
        pass
    assert refused == [REFUSAL]


def test_a_refusal_that_nobody_takes_is_presented(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    banner = Banner(window)
    banner.setObjectName(errors.BANNER)
    with qtbot.waitSignal(tasks.run(window, refuse, lambda _: None).finished):
        pass
    assert banner.words == "The question is empty. Ask in words. (ASK-001)"


def test_a_stop_ends_quietly(qtbot: QtBot, owner: QObject) -> None:
    def events() -> Iterator[int]:
        yield 1
        raise Stopped

    seen: list[object] = []
    with qtbot.waitSignal(tasks.stream(owner, events, seen.append, seen.append).finished):
        pass
    assert seen == [1]


def test_a_bug_is_told_like_one(qtbot: QtBot, owner: QObject, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *what: told.append(what[0]))

    def work() -> None:
        raise ZeroDivisionError

    with qtbot.waitSignal(tasks.run(owner, work, lambda _: None).finished):
        pass
    assert told == [ZeroDivisionError]


def test_nothing_is_delivered_to_an_owner_that_is_gone_and_its_generator_is_closed(qtbot: QtBot) -> None:
    owner, go, closed = QObject(), threading.Event(), threading.Event()
    seen: list[int] = []

    def events() -> Iterator[int]:
        try:
            go.wait(5)
            yield from range(1000)
        finally:
            closed.set()

    tasks.stream(owner, events, seen.append)
    owner.deleteLater()
    qtbot.wait(20)
    go.set()
    assert closed.wait(5)
    qtbot.waitUntil(lambda: not tasks._running)
    assert not seen


def test_a_dropped_task_delivers_nothing_more(qtbot: QtBot, owner: QObject) -> None:
    go = threading.Event()
    seen: list[bool] = []
    task = tasks.run(owner, lambda: go.wait(5), seen.append)
    task.drop()
    go.set()
    qtbot.waitUntil(lambda: not tasks._running)
    assert not seen
