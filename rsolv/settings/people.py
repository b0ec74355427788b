"""Settings of logins through allauth: password, second step, GitHub, reauthentication, staff sessions."""

from typing import Any

from core.environment import env

AUTH_USER_MODEL = "customers.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {
    "signup": "provisioning.forms.SignupForm",
    "change_password": "provisioning.forms.ChangePasswordForm",
    "set_password": "provisioning.forms.SetPasswordForm",
    "reset_password_from_key": "provisioning.forms.ResetPasswordKeyForm",
    "reauthenticate": "provisioning.reauthentication_forms.ReauthenticateForm",
}
ACCOUNT_ADAPTER = "provisioning.adapters.AccountAdapter"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
# How long a login or reauthentication is valid for sensitive changes.
ACCOUNT_REAUTHENTICATION_TIMEOUT = env.count("REAUTHENTICATION_SECONDS", default=300)
# allauth's own limits are per minute. What sends mail is also limited per hour and day.
ACCOUNT_RATE_LIMITS: dict[str, str] | bool = {
    "manage_email": "5/m/user,20/d/user",
    "confirm_email": "1/10s/key,10/h/key",
    "reset_password": "20/m/ip,100/d/ip,3/m/key,5/h/key,10/d/key",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "RSOLV"
MFA_FORMS = {
    "add_webauthn": "provisioning.forms.AddKeyForm",
    "reauthenticate": "provisioning.reauthentication_forms.SecondStepForm",
    "reauthenticate_webauthn": "provisioning.reauthentication_forms.PasskeyForm",
}
USERSESSIONS_ADAPTER = "provisioning.adapters.SessionsAdapter"
MFA_ADAPTER = "provisioning.adapters.MfaAdapter"
# Login with GitHub is offered if GITHUB_CLIENT_ID is set. A GitHub login is never linked automatically to an
# account with the same address: its owner logs in and connects the two (docs/decisions/010).
GITHUB_CLIENT_ID = env.str("GITHUB_CLIENT_ID", default="")
GITHUB_CLIENT_SECRET = env.str("GITHUB_CLIENT_SECRET", default="")
GITHUB_URL = env.address("GITHUB_URL", default="", schemes=("http", "https"))
# The host of customers' repositories. Links to issues and pull requests lead nowhere else.
FORGE_URL = GITHUB_URL.rstrip("/") or "https://github.com"
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {
    "github": {
        "APPS": [{"client_id": GITHUB_CLIENT_ID, "secret": GITHUB_CLIENT_SECRET}] if GITHUB_CLIENT_ID else [],
        **({"GITHUB_URL": GITHUB_URL} if GITHUB_URL else {}),
    }
}
SOCIALACCOUNT_ADAPTER = "provisioning.adapters.SocialAdapter"
SOCIALACCOUNT_FORMS = {"signup": "provisioning.forms.SocialSignupForm"}
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_QUERY_EMAIL = True
# Trials per email domain and year, and API signups per hour of all callers together, because each of those
# sends a mail to an address that the caller chooses.
TRIALS_PER_DOMAIN = env.count("TRIALS_PER_DOMAIN", default=5)
ONBOARDINGS_PER_HOUR = env.count("ONBOARDINGS_PER_HOUR", default=300)
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "rsolv_session"
# The staff admin: lifetime and idle timeout of a login, and how long a change needs no reauthentication.
STAFF_SESSION_SECONDS = env.count("STAFF_SESSION_SECONDS", default=12 * 3600)
STAFF_IDLE_SECONDS = env.count("STAFF_IDLE_SECONDS", default=3600)
STAFF_ASK_AGAIN_SECONDS = env.count("STAFF_ASK_AGAIN_SECONDS", default=600)
