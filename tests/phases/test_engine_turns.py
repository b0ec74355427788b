import threading
import time

import pytest

from phases.engine_turns import BURST_WAIT_SECONDS, SLOW_TASK_SECONDS, NoSlotAvailable, SlotQueue

SUSPECT = 0.4


def make_slots(places, requests=2):
    return SlotQueue(places, requests=requests, suspect_seconds=SUSPECT)


class Holder:
    """A place taken in a thread of its own, until `free`; `refused` says that there was none."""

    def __init__(self, slots, caller, seconds=20):
        self._slots, self._caller, self._seconds = slots, caller, seconds
        self._taken, self._free = threading.Event(), threading.Event()
        self.refused = None
        self._thread = threading.Thread(target=self._hold)
        self._thread.start()

    def _hold(self):
        try:
            with self._slots.acquire(self._caller, seconds=self._seconds):
                self.refused = False
                self._taken.set()
                assert self._free.wait(20)
        except NoSlotAvailable:
            self.refused = True
        self._taken.set()

    def wait(self):
        assert self._taken.wait(20)
        return self

    def free(self):
        self._free.set()
        self._thread.join()


def wait_until_waiting(slots, caller, number=1):
    for _ in range(2_000):
        with slots._condition:
            if slots._waiting[caller] >= number:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


class TestSlotQueue:
    def test_leaves_a_place_to_the_others(self):
        slots = make_slots(3)
        with slots.acquire("a", seconds=0), slots.acquire("a", seconds=0):
            with pytest.raises(NoSlotAvailable), slots.acquire("a", seconds=0):
                pass
            with slots.acquire("b", seconds=0):
                pass

    def test_has_no_more_places_than_there_are(self):
        slots = make_slots(2)
        with (
            slots.acquire("a", seconds=0),
            slots.acquire("b", seconds=0),
            pytest.raises(NoSlotAvailable),
            slots.acquire("c", seconds=0),
        ):
            pass

    def test_gives_the_only_place_to_anybody(self):
        slots = make_slots(1)
        with slots.acquire("a", seconds=0):
            pass
        with slots.acquire("a", seconds=0):
            pass

    def test_gives_a_place_back_after_an_error(self):
        slots = make_slots(1)
        with pytest.raises(ZeroDivisionError), slots.acquire("a", seconds=0):
            raise ZeroDivisionError
        with slots.acquire("b", seconds=0):
            pass

    def test_waits_for_a_place(self):
        slots, taken, free = make_slots(2), threading.Event(), threading.Event()

        def hold():
            with slots.acquire("a", seconds=0):
                taken.set()
                free.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        assert taken.wait(20)
        threading.Timer(0.05, free.set).start()
        with slots.acquire("a", seconds=20):
            assert free.is_set()
        thread.join()

    def test_does_not_let_a_suspect_wait(self):
        slots = make_slots(4)
        slots.mark_suspect("a")
        with slots.acquire("a", seconds=20), pytest.raises(NoSlotAvailable), slots.acquire("a", seconds=3600):
            pass

    def test_sends_off_who_waits_when_they_become_suspect(self):
        slots = make_slots(2)
        with slots.acquire("a", seconds=0):
            threading.Timer(0.05, slots.mark_suspect, ["a"]).start()
            with pytest.raises(NoSlotAvailable), slots.acquire("a", seconds=3600):
                pass

    def test_lets_a_suspect_come_one_by_one(self):
        slots = make_slots(2)
        slots.mark_suspect("a")
        with slots.acquire("a", seconds=0):
            pass
        with slots.acquire("a", seconds=0):
            pass

    def test_takes_a_costly_task_for_suspicious(self):
        slots = make_slots(4)
        slots.record_cost("a", SUSPECT + 0.01)
        with slots.acquire("a", seconds=20), pytest.raises(NoSlotAvailable), slots.acquire("a", seconds=3600):
            pass

    def test_does_not_suspect_who_sends_ordinary_tasks(self):
        slots = make_slots(4)
        for _ in range(100):
            slots.record_cost("a", SUSPECT / 20)
        with slots.acquire("a", seconds=0), slots.acquire("a", seconds=0):
            pass

    def test_leaves_a_place_however_many_are_suspect(self):
        slots = make_slots(2)
        slots.mark_suspect("a")
        slots.mark_suspect("b")
        with slots.acquire("a", seconds=0):
            with pytest.raises(NoSlotAvailable), slots.acquire("b", seconds=3600):
                pass
            with slots.acquire("c", seconds=0):
                pass


class TestACrowd:
    """One of "a" works and one waits: as many requests as may be here."""

    @pytest.fixture
    def slots(self):
        slots = make_slots(2)
        first = Holder(slots, "a").wait()
        second = Holder(slots, "a")
        wait_until_waiting(slots, "a")
        yield slots
        first.free()
        second.wait().free()
        assert second.refused is False

    @pytest.mark.parametrize("caller", ["a", "b"])
    def test_keeps_no_further_one_behind_a_long_task(self, slots, caller):
        with slots.acquire("b", seconds=0):
            time.sleep(BURST_WAIT_SECONDS)
            slots._condition.wait = None  # whoever waited would call it
            with pytest.raises(NoSlotAvailable), slots.acquire(caller, seconds=3600):
                pass
            del slots._condition.wait

    def test_keeps_a_further_one_only_briefly(self, slots):
        with pytest.raises(NoSlotAvailable), slots.acquire("a", seconds=3600):
            pass

    def test_keeps_none_of_a_caller_whose_last_tasks_were_slow(self, slots, monkeypatch):
        monkeypatch.setattr("phases.engine_turns.BURST_WAIT_SECONDS", 3600)
        slots.record_cost("a", SLOW_TASK_SECONDS * 2)
        assert Holder(slots, "a", seconds=3600).wait().refused

    def test_lets_another_have_the_free_place(self, slots):
        with slots.acquire("b", seconds=0):
            pass


class TestABurst:
    def test_of_short_tasks_is_served_whole(self):
        slots = make_slots(2)
        refused = []

        def work():
            try:
                with slots.acquire("a", seconds=2):
                    time.sleep(0.005)
            except NoSlotAvailable:
                refused.append(1)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert not refused
