import pytest
from rest_framework.exceptions import ValidationError

from rsolv.api.fields import ExactCharField, StrictCharField


class TestStrictCharField:
    @pytest.mark.parametrize("field", [StrictCharField(), ExactCharField(), StrictCharField(max_length=50)])
    def test_refuses_half_a_surrogate_pair(self, field):
        with pytest.raises(ValidationError) as refused:
            field.run_validation("half \ud83d a pair")
        assert refused.value.get_codes() == ["surrogate_characters_not_allowed"]

    def test_takes_any_other_character(self):
        assert StrictCharField().run_validation("naïve 🦊 \uffff") == "naïve 🦊 \uffff"
