import threading
import time

import pytest

from phases.engine_turns import BRIEF_SECONDS, SLOW_TASK, NoTurn, Turns

SUSPECT = 0.4


def make_turns(places, requests=2):
    return Turns(places, requests=requests, suspect_seconds=SUSPECT)


class Holder:
    """A place taken in a thread of its own, until `free`; `refused` says that there was none."""

    def __init__(self, turns, caller, seconds=20):
        self._turns, self._caller, self._seconds = turns, caller, seconds
        self._taken, self._free = threading.Event(), threading.Event()
        self.refused = None
        self._thread = threading.Thread(target=self._hold)
        self._thread.start()

    def _hold(self):
        try:
            with self._turns.take(self._caller, seconds=self._seconds):
                self.refused = False
                self._taken.set()
                assert self._free.wait(20)
        except NoTurn:
            self.refused = True
        self._taken.set()

    def wait(self):
        assert self._taken.wait(20)
        return self

    def free(self):
        self._free.set()
        self._thread.join()


def wait_until_waiting(turns, caller, number=1):
    for _ in range(2_000):
        with turns._condition:
            if turns._waiting[caller] >= number:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


class TestTurns:
    def test_leaves_a_place_to_the_others(self):
        turns = make_turns(3)
        with turns.take("a", seconds=0), turns.take("a", seconds=0):
            with pytest.raises(NoTurn), turns.take("a", seconds=0):
                pass
            with turns.take("b", seconds=0):
                pass

    def test_has_no_more_places_than_there_are(self):
        turns = make_turns(2)
        with (
            turns.take("a", seconds=0),
            turns.take("b", seconds=0),
            pytest.raises(NoTurn),
            turns.take("c", seconds=0),
        ):
            pass

    def test_gives_the_only_place_to_anybody(self):
        turns = make_turns(1)
        with turns.take("a", seconds=0):
            pass
        with turns.take("a", seconds=0):
            pass

    def test_gives_a_place_back_after_an_error(self):
        turns = make_turns(1)
        with pytest.raises(ZeroDivisionError), turns.take("a", seconds=0):
            raise ZeroDivisionError
        with turns.take("b", seconds=0):
            pass

    def test_waits_for_a_place(self):
        turns, taken, free = make_turns(2), threading.Event(), threading.Event()

        def hold():
            with turns.take("a", seconds=0):
                taken.set()
                free.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        assert taken.wait(20)
        threading.Timer(0.05, free.set).start()
        with turns.take("a", seconds=20):
            assert free.is_set()
        thread.join()

    def test_does_not_let_a_suspect_wait(self):
        turns = make_turns(4)
        turns.suspect("a")
        with turns.take("a", seconds=20), pytest.raises(NoTurn), turns.take("a", seconds=3600):
            pass

    def test_sends_off_who_waits_when_they_become_suspect(self):
        turns = make_turns(2)
        with turns.take("a", seconds=0):
            threading.Timer(0.05, turns.suspect, ["a"]).start()
            with pytest.raises(NoTurn), turns.take("a", seconds=3600):
                pass

    def test_lets_a_suspect_come_one_by_one(self):
        turns = make_turns(2)
        turns.suspect("a")
        with turns.take("a", seconds=0):
            pass
        with turns.take("a", seconds=0):
            pass

    def test_takes_a_costly_task_for_suspicious(self):
        turns = make_turns(4)
        turns.note("a", SUSPECT + 0.01)
        with turns.take("a", seconds=20), pytest.raises(NoTurn), turns.take("a", seconds=3600):
            pass

    def test_does_not_suspect_who_sends_ordinary_tasks(self):
        turns = make_turns(4)
        for _ in range(100):
            turns.note("a", SUSPECT / 20)
        with turns.take("a", seconds=0), turns.take("a", seconds=0):
            pass

    def test_leaves_a_place_however_many_are_suspect(self):
        turns = make_turns(2)
        turns.suspect("a")
        turns.suspect("b")
        with turns.take("a", seconds=0):
            with pytest.raises(NoTurn), turns.take("b", seconds=3600):
                pass
            with turns.take("c", seconds=0):
                pass


class TestACrowd:
    """One of "a" works and one waits: as many requests as may be here."""

    @pytest.fixture
    def turns(self):
        turns = make_turns(2)
        first = Holder(turns, "a").wait()
        second = Holder(turns, "a")
        wait_until_waiting(turns, "a")
        yield turns
        first.free()
        second.wait().free()
        assert second.refused is False

    @pytest.mark.parametrize("caller", ["a", "b"])
    def test_keeps_no_further_one_behind_a_long_task(self, turns, caller):
        with turns.take("b", seconds=0):
            time.sleep(BRIEF_SECONDS)
            turns._condition.wait = None  # whoever waited would call it
            with pytest.raises(NoTurn), turns.take(caller, seconds=3600):
                pass
            del turns._condition.wait

    def test_keeps_a_further_one_only_briefly(self, turns):
        with pytest.raises(NoTurn), turns.take("a", seconds=3600):
            pass

    def test_keeps_none_of_a_caller_whose_last_tasks_were_slow(self, turns, monkeypatch):
        monkeypatch.setattr("phases.engine_turns.BRIEF_SECONDS", 3600)
        turns.note("a", SLOW_TASK * 2)
        assert Holder(turns, "a", seconds=3600).wait().refused

    def test_lets_another_have_the_free_place(self, turns):
        with turns.take("b", seconds=0):
            pass


class TestABurst:
    def test_of_short_tasks_is_served_whole(self):
        turns = make_turns(2)
        refused = []

        def work():
            try:
                with turns.take("a", seconds=2):
                    time.sleep(0.005)
            except NoTurn:
                refused.append(1)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert not refused
