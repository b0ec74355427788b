from sandbox.bench.measure import Samples, find_percentile


class TestFindPercentile:
    def test_is_the_nearest_rank(self) -> None:
        values = [float(number) for number in range(1, 101)]
        assert (find_percentile(values, 50), find_percentile(values, 95)) == (50.0, 95.0)

    def test_of_one_value_is_that_value(self) -> None:
        assert find_percentile([3.0], 95) == 3.0


class TestSamples:
    def test_rate_is_the_median_of_the_rounds(self) -> None:
        assert Samples(rates=[90.0, 1.0, 100.0]).rps == 90.0
