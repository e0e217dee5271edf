"""A child process may crash, hang, babble or be killed: its parent gets one typed error and goes on."""

import collections
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lumen_desktop.children import Child, Limits, parent
from lumen_desktop.errors import EngineError, LumenError, Stopped

HERE = Path(__file__).resolve().parent
QUICK = Limits(start_timeout_s=20, first_timeout_s=1.0, next_timeout_s=1.0, stop_timeout_s=0.5)

Make = Callable[..., Child]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    monkeypatch.setattr(parent, "_python", lambda: [sys.executable, str(HERE / "child_of_tests.py")])
    monkeypatch.setenv("PYTHONPATH", str(HERE.parent.parent))
    children = []

    def make_one(mood: str = "good", limits: Limits = QUICK) -> Child:
        children.append(Child("--test", [mood], title="test child", limits=limits))
        return children[-1]

    yield make_one
    for child in children:
        child.close()


def refused(child: Child, operation: str) -> EngineError:
    with pytest.raises(EngineError) as caught:
        list(child.stream(operation, {}))
    return caught.value


def test_a_request_carries_fields_and_bytes_and_its_events_come_in_order(make: Make) -> None:
    events = list(make().stream("echo", {"a": 1}, payload="µ\n≤".encode()))
    assert [event["event"] for event in events] == ["first", "done"]
    assert events[0]["fields"] == {"a": 1}
    assert events[1]["payload"] == "µ\n≤"


def test_the_first_line_describes_the_child(make: Make) -> None:
    child = make()
    assert child.pid is None
    assert child.ready()["mood"] == "good"
    assert child.is_ready()


@pytest.mark.parametrize("operation", ["garbage", "no object", "no event", "other id", "nested", "long line"])
def test_what_is_not_in_the_protocol_ends_the_child_and_the_next_request_works(make: Make, operation: str) -> None:
    child = make(limits=Limits(first_timeout_s=10))
    assert refused(child, operation).code == "ENG-004"
    assert child.pid is None
    assert child.request("echo", {}, payload=b"again")["payload"] == "again"


@pytest.mark.parametrize(("mood", "code"), [("old", "ENG-004"), ("babbles", "ENG-004"), ("dies", "ENG-002")])
def test_a_child_that_does_not_start_as_agreed_is_refused(make: Make, mood: str, code: str) -> None:
    assert refused(make(mood), "echo").code == code


def test_a_child_that_does_not_get_ready_is_ended(make: Make) -> None:
    assert refused(make("sleeps", Limits(start_timeout_s=0.5)), "echo").code == "ENG-005"


def test_what_loading_refuses_is_handed_on_and_does_not_lead_to_safe_mode(make: Make) -> None:
    child = make("refuses")
    for _ in range(4):
        error = refused(child, "echo")
        assert (error.code, error.message, error.hint) == ("TST-002", "There is nothing to load.", "Bring something.")


def test_what_a_request_refuses_is_handed_on_and_the_child_lives(make: Make) -> None:
    child = make()
    child.start()
    before = child.pid
    assert refused(child, "refuse").code == "TST-001"
    assert child.pid == before


def test_a_bug_in_the_child_is_one_error_that_does_not_repeat_its_words(make: Make) -> None:
    error = refused(make(), "fault")
    assert error.code == "RUN-003"
    assert "RuntimeError" in error.message
    assert "patient" not in error.message


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited on Linux")
def test_memory_beyond_the_limit_is_refused_and_the_child_lives(make: Make) -> None:
    child = make(limits=Limits(memory_bytes=2 * 1024**3))
    assert refused(child, "swallow memory").code == "RUN-002"
    assert child.request("echo", {}, payload=b"here")["payload"] == "here"


def test_prints_do_not_reach_the_pipe(make: Make) -> None:
    assert [event["event"] for event in make().stream("print", {})] == ["done"]


def test_a_crash_is_one_error_and_the_next_request_starts_another_process(make: Make) -> None:
    child = make()
    assert refused(child, "die").code == "ENG-002"
    assert child.request("echo", {}, payload=b"new")["payload"] == "new"


def test_a_hang_is_ended(make: Make) -> None:
    began = time.monotonic()
    child = make()
    child.ready()
    assert refused(child, "hang").code == "ENG-005"
    assert time.monotonic() - began < 10
    assert child.pid is None


def test_killed_while_idle_it_is_started_again_without_an_error(make: Make) -> None:
    child = make()
    child.ready()
    assert child.pid
    psutil.Process(child.pid).kill()
    psutil.wait_procs([psutil.Process(child.pid)] if child.pid else [], timeout=5)
    assert child.request("echo", {}, payload=b"back")["payload"] == "back"


def test_a_stop_from_another_thread_ends_the_work(make: Make) -> None:
    child = make()
    events = []
    for event in child.stream("count", {}):
        events.append(event)
        if len(events) == 5:
            threading.Thread(target=child.stop).start()
    assert events[-1]["event"] == "done"
    assert len(events) < 60


def test_a_stop_is_heard_before_the_first_event(make: Make) -> None:
    child = make()
    child.ready()
    threading.Timer(0.1, child.stop).start()
    assert child.request("silent", {})["stopped"] is True


def test_a_stop_while_the_child_still_loads_reaches_the_request(make: Make) -> None:
    child = make("yawns")
    threading.Timer(0.1, child.stop).start()
    assert child.request("silent", {})["stopped"] is True


def test_a_stop_when_nothing_runs_does_not_stop_the_next_request(make: Make) -> None:
    child = make()
    child.ready()
    child.stop()
    assert child.request("echo", {}, payload=b"whole")["payload"] == "whole"


def test_a_child_that_talks_on_after_a_stop_is_ended(make: Make) -> None:
    child = make()
    child.ready()
    threading.Timer(0.1, child.stop).start()
    with pytest.raises(EngineError) as caught:
        collections.deque(child.stream("deaf", {}), maxlen=0)
    assert caught.value.code == "ENG-005"


def test_a_reader_that_goes_away_stops_the_work_and_leaves_a_quiet_pipe(make: Make) -> None:
    child = make()
    before = None
    for _ in child.stream("count", {}):
        before = child.pid
        break
    assert child.request("echo", {}, payload=b"quiet")["payload"] == "quiet"
    assert child.pid == before


def test_a_slow_reader_is_not_the_childs_fault(make: Make) -> None:
    child = make()
    stream = child.stream("count", {})
    next(stream)
    child.stop()
    time.sleep(1.2)  # longer than the child has to answer a stop
    assert list(stream)[-1]["event"] == "done"


def test_three_failures_within_five_minutes_end_in_safe_mode(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    child = make()
    assert [refused(child, "die").code for _ in range(4)] == ["ENG-002", "ENG-002", "ENG-002", "ENG-003"]
    assert "doctor" in refused(child, "echo").hint
    monkeypatch.setattr(parent, "FAILURES_WITHIN_S", 0.0)  # five minutes later
    assert child.request("echo", {}, payload=b"calm")["payload"] == "calm"


def test_what_the_owner_distrusts_is_ended_and_counts(make: Make) -> None:
    child = make()
    child.ready()
    assert child.distrust().code == "ENG-004"
    assert child.pid is None


def test_a_loop_of_requests_lets_another_thread_in(make: Make) -> None:
    child = make()
    child.ready()
    order: list[str] = []
    started = threading.Event()

    def loop() -> None:
        for index in range(200):
            child.request("echo", {})
            order.append("loop")
            if index == 20:
                started.set()

    thread = threading.Thread(target=loop)
    thread.start()
    started.wait()
    child.request("echo", {})
    order.append("other")
    thread.join()
    assert order.index("other") < 60


def test_two_threads_start_one_process(make: Make) -> None:
    child = make("yawns")
    pids: list[int | None] = []

    def start() -> None:
        child.ready()
        pids.append(child.pid)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(pids)) == 1


def test_closing_ends_the_process_and_may_be_done_twice(make: Make) -> None:
    child = make()
    child.ready()
    process = psutil.Process(child.pid)
    child.close()
    child.close()
    assert not process.is_running()


def test_closing_while_a_request_runs_is_an_error_for_its_reader_only(make: Make) -> None:
    child = make()
    stream = child.stream("count", {})
    next(stream)
    child.close()
    with pytest.raises(LumenError):
        collections.deque(stream, maxlen=0)


def test_no_thread_starts_a_closed_child_again(make: Make) -> None:
    child = make()
    child.close()
    with pytest.raises(Stopped):
        child.request("echo", {}, payload=b"on")
    assert child.pid is None


def test_a_child_closed_while_it_starts_does_not_outlive_it(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    child, begun = make(), subprocess.Popen
    processes = []

    def closing(*arguments: Any, **named: Any) -> Any:
        child.close()  # as another thread does: it sees no process yet
        processes.append(begun(*arguments, **named))
        return processes[-1]

    monkeypatch.setattr(subprocess, "Popen", closing)
    with pytest.raises(Stopped):
        child.ready()
    assert processes[0].poll() is not None


def test_a_child_gets_no_secret_from_the_environment(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMEN_PASSWORD", "demonstration")
    environment = make().request("environment", {})["environment"]
    assert "LUMEN_PASSWORD" not in environment
    assert environment["OMP_WAIT_POLICY"] == "passive"
    assert environment["ORT_DISABLE_TELEMETRY"] == "1"


def test_a_program_that_cannot_be_started_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(parent, "_python", lambda: [str(tmp_path / "nothing")])
    assert refused(Child("--test", title="test child"), "echo").code == "ENG-001"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_a_child_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "owner.py"
    script.write_text(
        "import sys, time\n"
        "from lumen_desktop.children import Child, parent\n"
        f"parent._python = lambda: [sys.executable, {str(HERE / 'child_of_tests.py')!r}]\n"
        "child = Child('--test', ['good'], title='test child')\n"
        "child.ready()\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    environment = os.environ | {"PYTHONPATH": str(HERE.parent.parent)}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment) as owner:
        assert owner.stdout
        grandchild = psutil.Process(int(owner.stdout.readline()))
        owner.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs([grandchild], timeout=5)
    assert not alive
