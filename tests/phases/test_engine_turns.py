import threading

import pytest

from phases.engine_turns import NoTurn, Turns


class TestTurns:
    def test_leaves_a_place_to_the_others(self):
        turns = Turns(3)
        with turns.take("a", seconds=0), turns.take("a", seconds=0):
            with pytest.raises(NoTurn), turns.take("a", seconds=0):
                pass
            with turns.take("b", seconds=0):
                pass

    def test_has_no_more_places_than_there_are(self):
        turns = Turns(2)
        with (
            turns.take("a", seconds=0),
            turns.take("b", seconds=0),
            pytest.raises(NoTurn),
            turns.take("c", seconds=0),
        ):
            pass

    def test_gives_the_only_place_to_anybody(self):
        turns = Turns(1)
        with turns.take("a", seconds=0):
            pass
        with turns.take("a", seconds=0):
            pass

    def test_gives_a_place_back_after_an_error(self):
        turns = Turns(1)
        with pytest.raises(ZeroDivisionError), turns.take("a", seconds=0):
            raise ZeroDivisionError
        with turns.take("b", seconds=0):
            pass

    def test_waits_for_a_place(self):
        turns, taken, free = Turns(2), threading.Event(), threading.Event()

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
        turns = Turns(4)
        turns.suspect("a")
        with turns.take("a", seconds=20), pytest.raises(NoTurn), turns.take("a", seconds=3600):
            pass

    def test_sends_off_who_waits_when_they_become_suspect(self):
        turns = Turns(2)
        with turns.take("a", seconds=0):
            threading.Timer(0.05, turns.suspect, ["a"]).start()
            with pytest.raises(NoTurn), turns.take("a", seconds=3600):
                pass

    def test_lets_a_suspect_come_one_by_one(self):
        turns = Turns(2)
        turns.suspect("a")
        with turns.take("a", seconds=0):
            pass
        with turns.take("a", seconds=0):
            pass
