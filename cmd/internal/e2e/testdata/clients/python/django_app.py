"""A web app with Django and mozilla-django-oidc, as the documentation of mozilla-django-oidc makes it."""
import os

import django
from django.conf import settings
from django.http import HttpResponse
from django.urls import include, path

ISSUER = os.environ['ISSUER']

settings.configure(
    SECRET_KEY='a secret of the app that is long enough',
    ALLOWED_HOSTS=['localhost'],
    ROOT_URLCONF=__name__,
    DATABASES={'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.environ['DATABASE']}},
    INSTALLED_APPS=[
        'django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions', 'mozilla_django_oidc',
    ],
    MIDDLEWARE=[
        'django.contrib.sessions.middleware.SessionMiddleware',
        'django.contrib.auth.middleware.AuthenticationMiddleware',
    ],
    AUTHENTICATION_BACKENDS=[__name__ + '.Backend'],
    OIDC_RP_CLIENT_ID=os.environ['CLIENT_ID'],
    OIDC_RP_CLIENT_SECRET=os.environ['CLIENT_SECRET'],
    OIDC_RP_SIGN_ALGO='RS256',
    OIDC_RP_SCOPES='openid profile email',
    OIDC_OP_AUTHORIZATION_ENDPOINT=ISSUER + '/authorize',
    OIDC_OP_TOKEN_ENDPOINT=ISSUER + '/token',
    OIDC_OP_USER_ENDPOINT=ISSUER + '/userinfo',
    OIDC_OP_JWKS_ENDPOINT=ISSUER + '/.well-known/jwks.json',
    LOGIN_REDIRECT_URL='/',
    LOGOUT_REDIRECT_URL='/',
)
django.setup()

from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402 (it wants the settings)


class Backend(OIDCAuthenticationBackend):
    def create_user(self, claims):
        user = super().create_user(claims)
        user.first_name = claims.get('name', '')
        user.save()
        return user


def home(request):
    user = request.user
    if not user.is_authenticated:
        return HttpResponse('<main>signed out</main>')
    sign_out = '<form action="/oidc/logout/" method="post"><button>Sign out</button></form>'
    return HttpResponse(f'<main>Hello {user.first_name}, {user.email} {sign_out}</main>')


urlpatterns = [path('', home), path('oidc/', include('mozilla_django_oidc.urls'))]


def make():
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application

    call_command('migrate', verbosity=0)
    return get_wsgi_application()
