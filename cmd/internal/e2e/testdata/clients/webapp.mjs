// Serves web apps as their libraries' own tutorials make them, those of the folder python too, and signs a person in and
// out there: APP says in which.
import { assert, check, env } from './check.mjs'; // first: it supplies what Node.js 18 lacks
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import express from 'express';
import { Person } from './person.mjs';

const issuer = env('ISSUER');
const [clientId, clientSecret] = [env('CLIENT_ID'), process.env.CLIENT_SECRET];
const origin = env('ORIGIN');
const secret = 'a secret of the app that is long enough';
const app = express();

/** What the app shows of who is signed in. */
const greet = (response, user) => response.send(user ? `<main>Hello ${user.name}, ${user.email}</main>` : '<main>signed out</main>');

// The apps: each adds its routes, or names its module, and says where to sign in and out and by which button of its own,
// and whether signing out there ends the session at Wicket too.
const apps = {
  async 'express-openid-connect'(settings = {}) {
    const { auth } = await import('express-openid-connect').then((module) => module.default);
    app.use(auth({ issuerBaseURL: issuer, baseURL: origin, clientID: clientId, secret, authRequired: false, idpLogout: true, ...settings }));
    app.get('/', (request, response) => greet(response, request.oidc.user));
    return { signIn: ['/login'], signOut: ['/logout'], everywhere: true };
  },

  'express-openid-connect code'() {
    return apps['express-openid-connect']({ clientSecret, authorizationParams: { response_type: 'code' } });
  },

  async '@auth/express'() {
    const { ExpressAuth, getSession } = await import('@auth/express');
    const config = { secret, providers: [{ id: 'wicket', name: 'Wicket', type: 'oidc', issuer, clientId, clientSecret }] };
    app.set('trust proxy', true);
    app.use('/auth', ExpressAuth(config));
    app.get('/', async (request, response) => greet(response, (await getSession(request, config))?.user));
    return { signIn: ['/auth/signin', 'form[action$="/signin/wicket"] button'], signOut: ['/auth/signout', 'form[action$="/signout"] button'] };
  },

  async 'next-auth 4'() {
    process.env.NEXTAUTH_URL = origin;
    const { default: NextAuth, getServerSession } = await import('next-auth').then((module) => module.default);
    const options = {
      secret,
      providers: [{
        id: 'wicket', name: 'Wicket', type: 'oauth', wellKnown: `${issuer}/.well-known/openid-configuration`, clientId, clientSecret,
        authorization: { params: { scope: 'openid profile email' } }, idToken: true, checks: ['pkce', 'state'],
        profile: (claims) => ({ id: claims.sub, name: claims.name, email: claims.email }),
      }],
    };
    // What Next.js gives to a handler of pages/api.
    const asInNext = (request) => Object.defineProperty(request, 'cookies', {
      value: Object.fromEntries((request.headers.cookie ?? '').split('; ').map((pair) => pair.split('=').map(decodeURIComponent))),
    });
    app.use('/api/auth/*path', express.urlencoded({ extended: false }), (request, response) => {
      Object.defineProperty(asInNext(request), 'query', { value: { ...request.query, nextauth: request.params.path } });
      return NextAuth(request, response, options);
    });
    app.get('/', async (request, response) => greet(response, (await getServerSession(asInNext(request), response, options))?.user));
    return { signIn: ['/api/auth/signin', 'form[action$="/signin/wicket"] button'], signOut: ['/api/auth/signout', 'form[action$="/signout"] button'] };
  },

  Flask: () => ({ python: 'flask_app', signIn: ['/login'], signOut: ['/logout'] }),

  Django: () => ({ python: 'django_app', signIn: ['/oidc/authenticate/'], signOut: ['/', 'form[action="/oidc/logout/"] button'] }),
};

const { python, signIn, signOut, everywhere } = await apps[env('APP')]();
const { port } = new URL(origin);
let stop;
if (python) {
  const serving = spawn('python/.venv/bin/python', ['python/serve.py', python, port], { stdio: ['pipe', 'pipe', 'inherit'] });
  await Promise.race([once(serving.stdout, 'data'), once(serving, 'exit').then(([code]) => assert.fail(`it ended with ${code}`))]);
  stop = () => serving.stdin.end();
} else {
  const serving = app.listen(port, '127.0.0.1');
  await once(serving, 'listening');
  stop = () => { serving.close(); serving.closeAllConnections(); };
}
const person = new Person({ username: env('USERNAME'), password: env('PASSWORD') });
const go = ([path, ...press]) => person.visit(origin + path, undefined, press);
const home = async () => (await go(['/'])).text;

await check('signed in, by name and address', async () => {
  assert.match(await home(), /signed out/);
  const { pages } = await go(signIn);
  assert.ok(pages.includes('sign-in') && pages.includes('allow'), `the pages were ${pages}`);
  assert.match(await home(), new RegExp(`Hello ${env('NAME')}, ${env('EMAIL')}`));
});

await check(everywhere ? 'signed out, at Wicket too' : 'signed out of the app', async () => {
  const { url } = await go(signOut);
  assert.equal(url.origin, origin);
  assert.match(await home(), /signed out/);
  const again = await go(signIn);
  assert.equal(again.pages.includes('sign-in'), Boolean(everywhere), `the pages were ${again.pages}`);
});

stop();
