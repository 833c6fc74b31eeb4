import os
import signal
import threading

import pytest

from heldout.interrupting import Stop, end_on_sigterm, finishing_steps


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
def test_a_signal_only_raises_a_flag_and_is_told_at_the_end(number: int, error: type[BaseException]) -> None:
    before = signal.getsignal(number)
    with pytest.raises(error) as caught, finishing_steps() as stop:  # noqa: PT012
        asked = [stop.is_asked]
        os.kill(os.getpid(), number)
        asked.append(stop.is_asked)
        assert asked == [False, True]
        assert signal.getsignal(number) is signal.SIG_DFL, "the second ends the process on the spot"
    assert signal.getsignal(number) is before
    assert getattr(caught.value, "code", 143) == 143


def test_handlers_of_the_program_are_left_alone() -> None:
    told = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: told.append(number))
    try:
        with finishing_steps() as stop:
            os.kill(os.getpid(), signal.SIGTERM)
            assert not stop.is_asked
    finally:
        signal.signal(signal.SIGTERM, before)
    assert told == [signal.SIGTERM]


def test_the_command_lines_own_handler_is_replaced_and_comes_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        end_on_sigterm()
        with pytest.raises(SystemExit, match="143"), finishing_steps() as stop:  # noqa: PT012
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop.is_asked
        with pytest.raises(SystemExit, match="143"):
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_thread_changes_no_handler() -> None:
    found: list[bool] = []

    def work() -> None:
        with finishing_steps() as stop:
            found.append(stop.is_asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]


def test_who_asks_by_hand_is_answered_too() -> None:
    stop = Stop()
    stop.ask(signal.SIGTERM)
    assert stop.is_asked
    assert isinstance(stop.error(), SystemExit)
