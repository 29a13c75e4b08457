"""A web app with Flask and Authlib, as Authlib's guide for Flask makes it."""
import os

from authlib.integrations.flask_client import OAuth
from flask import Flask, redirect, session, url_for

app = Flask(__name__)
app.secret_key = 'a secret of the app that is long enough'

oauth = OAuth(app)
oauth.register(
    name='wicket',
    client_id=os.environ['CLIENT_ID'],
    client_secret=os.environ['CLIENT_SECRET'],
    server_metadata_url=os.environ['ISSUER'] + '/.well-known/openid-configuration',
    client_kwargs={'scope': 'openid profile email'},
)


@app.get('/')
def home():
    user = session.get('user')
    return f'<main>Hello {user["name"]}, {user["email"]}</main>' if user else '<main>signed out</main>'


@app.get('/login')
def login():
    return oauth.wicket.authorize_redirect(url_for('callback', _external=True))


@app.get('/callback')
def callback():
    session['user'] = oauth.wicket.authorize_access_token()['userinfo']
    return redirect('/')


@app.get('/logout')
def logout():
    session.clear()
    return redirect('/')
