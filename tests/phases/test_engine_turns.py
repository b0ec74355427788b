import threading
import time

import pytest

from phases.engine_turns import BURST_WAIT_SECONDS, SLOW_TASK_SECONDS, NoSlotAvailable, SlotQueue

SUSPECT = 0.4


def make_queue(slots, requests=2):
    return SlotQueue(slots, requests=requests, suspect_seconds=SUSPECT)


class Holder:
    """Holds a slot in a separate thread until `free` is called; `rejected` says whether there was none."""

    def __init__(self, queue, caller, seconds=20):
        self._queue, self._caller, self._seconds = queue, caller, seconds
        self._taken, self._free = threading.Event(), threading.Event()
        self.rejected = None
        self._thread = threading.Thread(target=self._hold)
        self._thread.start()

    def _hold(self):
        try:
            with self._queue.acquire(self._caller, seconds=self._seconds):
                self.rejected = False
                self._taken.set()
                assert self._free.wait(20)
        except NoSlotAvailable:
            self.rejected = True
        self._taken.set()

    def wait(self):
        assert self._taken.wait(20)
        return self

    def free(self):
        self._free.set()
        self._thread.join()


def wait_until_waiting(queue, caller, number=1):
    for _ in range(2_000):
        if queue.count_waiting(caller) >= number:
            return
        time.sleep(0.01)
    raise AssertionError("no request waits")


class TestSlotQueue:
    def test_leaves_a_slot_to_other_callers(self):
        queue = make_queue(3)
        with queue.acquire("a", seconds=0), queue.acquire("a", seconds=0):
            with pytest.raises(NoSlotAvailable), queue.acquire("a", seconds=0):
                pass
            with queue.acquire("b", seconds=0):
                pass

    def test_never_exceeds_the_number_of_slots(self):
        queue = make_queue(2)
        with (
            queue.acquire("a", seconds=0),
            queue.acquire("b", seconds=0),
            pytest.raises(NoSlotAvailable),
            queue.acquire("c", seconds=0),
        ):
            pass

    def test_gives_the_only_slot_to_any_caller(self):
        queue = make_queue(1)
        with queue.acquire("a", seconds=0):
            pass
        with queue.acquire("a", seconds=0):
            pass

    def test_releases_the_slot_after_an_error(self):
        queue = make_queue(1)
        with pytest.raises(ZeroDivisionError), queue.acquire("a", seconds=0):
            raise ZeroDivisionError
        with queue.acquire("b", seconds=0):
            pass

    def test_waits_for_a_free_slot(self):
        queue, taken, free = make_queue(2), threading.Event(), threading.Event()

        def hold():
            with queue.acquire("a", seconds=0):
                taken.set()
                free.wait(20)

        thread = threading.Thread(target=hold)
        thread.start()
        assert taken.wait(20)
        threading.Timer(0.05, free.set).start()
        with queue.acquire("a", seconds=20):
            assert free.is_set()
        thread.join()

    def test_does_not_let_a_suspect_wait(self):
        queue = make_queue(4)
        queue.mark_suspect("a")
        with queue.acquire("a", seconds=20), pytest.raises(NoSlotAvailable), queue.acquire("a", seconds=3600):
            pass

    def test_rejects_a_waiting_caller_who_becomes_suspect(self):
        queue = make_queue(2)
        with queue.acquire("a", seconds=0):
            threading.Timer(0.05, queue.mark_suspect, ["a"]).start()
            with pytest.raises(NoSlotAvailable), queue.acquire("a", seconds=3600):
                pass

    def test_runs_one_task_of_a_suspect_at_a_time(self):
        queue = make_queue(2)
        queue.mark_suspect("a")
        with queue.acquire("a", seconds=0):
            pass
        with queue.acquire("a", seconds=0):
            pass

    def test_makes_the_caller_of_an_expensive_task_suspect(self):
        queue = make_queue(4)
        queue.record_cost("a", SUSPECT + 0.01)
        with queue.acquire("a", seconds=20), pytest.raises(NoSlotAvailable), queue.acquire("a", seconds=3600):
            pass

    def test_ordinary_tasks_do_not_make_a_caller_suspect(self):
        queue = make_queue(4)
        for _ in range(100):
            queue.record_cost("a", SUSPECT / 20)
        with queue.acquire("a", seconds=0), queue.acquire("a", seconds=0):
            pass

    def test_all_suspects_together_leave_a_slot(self):
        queue = make_queue(2)
        queue.mark_suspect("a")
        queue.mark_suspect("b")
        with queue.acquire("a", seconds=0):
            with pytest.raises(NoSlotAvailable), queue.acquire("b", seconds=3600):
                pass
            with queue.acquire("c", seconds=0):
                pass


class TestFullQueue:
    """One task of "a" runs and one waits, which is the maximum number of requests."""

    @pytest.fixture
    def queue(self):
        queue = make_queue(2)
        first = Holder(queue, "a").wait()
        second = Holder(queue, "a")
        wait_until_waiting(queue, "a")
        yield queue
        first.free()
        second.wait().free()
        assert second.rejected is False

    @pytest.mark.parametrize("caller", ["a", "b"])
    def test_rejects_more_at_once_behind_a_long_task(self, queue, caller):
        with queue.acquire("b", seconds=0):
            time.sleep(BURST_WAIT_SECONDS)
            began = time.monotonic()
            with pytest.raises(NoSlotAvailable), queue.acquire(caller, seconds=3600):
                pass
            assert time.monotonic() - began < BURST_WAIT_SECONDS

    def test_makes_one_more_wait_only_briefly(self, queue):
        with pytest.raises(NoSlotAvailable), queue.acquire("a", seconds=3600):
            pass

    def test_rejects_a_caller_with_slow_tasks_at_once(self, queue, monkeypatch):
        monkeypatch.setattr("phases.engine_turns.BURST_WAIT_SECONDS", 3600)
        queue.record_cost("a", SLOW_TASK_SECONDS * 2)
        assert Holder(queue, "a", seconds=3600).wait().rejected

    def test_gives_the_free_slot_to_another_caller(self, queue):
        with queue.acquire("b", seconds=0):
            pass


class TestBurst:
    def test_of_short_tasks_is_served_completely(self):
        queue = make_queue(2)
        rejected = []

        def work():
            try:
                with queue.acquire("a", seconds=2):
                    time.sleep(0.005)
            except NoSlotAvailable:
                rejected.append(1)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert not rejected
