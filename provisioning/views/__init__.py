"""Signing up: the forms, the code, and the link that confirms what a caller asked for."""

from .code import confirm_code
from .onboarding import answer_onboarding
from .signup import SignupView, SocialSignupView

__all__ = ["SignupView", "SocialSignupView", "answer_onboarding", "confirm_code"]
