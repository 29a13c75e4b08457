// A person at a browser without JavaScript: keeps cookies, follows redirects, and fills in Wicket's forms.
// It knows the pages by their stable ids only: #username #password #sign-in, #allow, #sign-out, and #form-post.
import http from 'node:http';
import https from 'node:https';
import { parse } from 'node-html-parser';

const mostSteps = 30;

export class Person {
  #cookies = [];

  constructor({ username, password }) {
    this.username = username;
    this.password = password;
  }

  /**
   * Opens a URL and does what the pages ask, until the browser is sent to `until` (a redirect_uri).
   * Returns { url, pages }, where url is that last address, which is not opened; or { form: { action, fields }, pages } if
   * a form_post page would post there. pages names the forms that were filled in on the way: 'sign-in', 'allow', 'sign-out'.
   * Without `until` the person goes on as a browser would, form_post pages and all, to the first page that asks for nothing,
   * and gets { url, text, pages }. `press` are selectors of buttons of an app's own pages.
   */
  async visit(url, until, press = []) {
    const pages = [];
    let request = { method: 'GET', url: new URL(url), from: null };
    for (let step = 0; step < mostSteps; step++) {
      const answer = await this.#send(request);
      if (answer.location) {
        const to = new URL(answer.location, request.url);
        if (until && leadsTo(to, until)) return { url: to, pages };
        const repeat = answer.status === 307 || answer.status === 308;
        request = { ...(repeat ? request : { method: 'GET' }), url: to, from: request.url };
        continue;
      }
      const document = parse(answer.body);
      const page = ['form-post', 'sign-in', 'allow', 'sign-out'].find((id) => document.getElementById(id))
        ?? press.find((selector) => document.querySelector(selector));
      if (!page && !until && answer.status < 400) return { url: request.url, text: text(document), pages };
      if (!page) throw new Error(`${show(request)} answered ${answer.status} with no form this person knows:\n${text(document)}`);
      if (page === 'form-post' && until) {
        const form = fill(document.getElementById(page), {});
        return { form: { action: new URL(form.action, request.url).href, fields: form.fields }, pages };
      }
      if (pages.includes(page)) throw new Error(`${show(request)} answered ${answer.status} and asks for "${page}" again:\n${text(document)}`);
      pages.push(page);
      const button = document.getElementById(page) ?? document.querySelector(page);
      const form = fill(page === 'form-post' ? button : owner(document, button), { button, username: this.username, password: this.password });
      const action = new URL(form.action ?? '', request.url);
      request = form.method === 'POST'
        ? { method: 'POST', url: action, body: form.fields, from: request.url }
        : { method: 'GET', url: Object.assign(action, { search: form.fields }), from: request.url };
    }
    throw new Error(`more than ${mostSteps} steps from ${url}`);
  }

  async #send({ method, url, body, from }) {
    const headers = {
      Accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
      'Accept-Language': 'en',
      'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) WicketJourney/1.0',
      'Sec-Fetch-Dest': 'document',
      'Sec-Fetch-Mode': 'navigate',
      'Sec-Fetch-Site': !from ? 'cross-site' : from.origin === url.origin ? 'same-origin' : 'cross-site',
      'Sec-Fetch-User': '?1',
    };
    const cookies = this.#cookiesFor(url);
    if (cookies) headers.Cookie = cookies;
    if (method === 'POST') {
      headers.Origin = from.origin;
      headers['Content-Type'] = 'application/x-www-form-urlencoded';
      headers['Content-Length'] = Buffer.byteLength(body.toString());
    }
    const answer = await new Promise((resolve, reject) => {
      const sent = (url.protocol === 'https:' ? https : http).request(url, { method, headers, timeout: 20_000 }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({
          status: response.statusCode,
          location: response.statusCode >= 300 && response.statusCode < 400 ? response.headers.location : undefined,
          cookies: response.headers['set-cookie'] ?? [],
          body: Buffer.concat(chunks).toString(),
        }));
      });
      sent.on('timeout', () => sent.destroy(new Error(`${url} did not answer in time`)));
      sent.on('error', reject);
      sent.end(body?.toString());
    });
    for (const line of answer.cookies) this.#keep(line, url);
    if (answer.status >= 500) throw new Error(`${method} ${url.origin}${url.pathname} answered ${answer.status}:\n${text(parse(answer.body))}`);
    return answer;
  }

  /** Keeps a Set-Cookie line by the rules of RFC 6265bis, and complains where a browser would silently drop it. */
  #keep(line, url) {
    const [pair, ...attributes] = line.split(';');
    const name = pair.slice(0, pair.indexOf('=')).trim();
    const value = pair.slice(pair.indexOf('=') + 1).trim();
    const has = Object.fromEntries(attributes.map((attribute) => {
      const [key, ...rest] = attribute.trim().split('=');
      return [key.toLowerCase(), rest.join('=')];
    }));
    const secure = 'secure' in has;
    if (secure && url.protocol !== 'https:' && !loopback(url)) throw new Error(`a browser drops the Secure cookie ${name} over http`);
    if (name.startsWith('__Host-') && (!secure || has.domain || has.path !== '/')) throw new Error(`a browser drops the cookie ${name}: __Host- needs Secure, Path=/ and no Domain`);
    if (name.startsWith('__Secure-') && !secure) throw new Error(`a browser drops the cookie ${name}: __Secure- needs Secure`);
    if (has.samesite?.toLowerCase() === 'none' && !secure) throw new Error(`a browser drops the cookie ${name}: SameSite=None needs Secure`);
    const domain = has.domain?.replace(/^\./, '').toLowerCase();
    if (domain && domain !== url.hostname && !url.hostname.endsWith(`.${domain}`)) throw new Error(`a browser drops the cookie ${name}: ${domain} is not ${url.hostname}`);
    const path = has.path?.startsWith('/') ? has.path : url.pathname.replace(/\/[^/]*$/, '') || '/';
    const host = domain || url.hostname;
    this.#cookies = this.#cookies.filter((cookie) => !(cookie.name === name && cookie.host === host && cookie.path === path));
    const ends = has['max-age'] ? Date.now() + Number(has['max-age']) * 1000 : has.expires ? Date.parse(has.expires) : Infinity;
    if (ends > Date.now()) this.#cookies.push({ name, value, host, path, secure, ends, hostOnly: !domain });
  }

  #cookiesFor(url) {
    return this.#cookies
      .filter((cookie) => cookie.ends > Date.now()
        && (cookie.host === url.hostname || (!cookie.hostOnly && url.hostname.endsWith(`.${cookie.host}`)))
        && (url.pathname === cookie.path || url.pathname.startsWith(cookie.path.replace(/\/?$/, '/')))
        && (!cookie.secure || url.protocol === 'https:' || loopback(url)))
      .sort((a, b) => b.path.length - a.path.length)
      .map((cookie) => `${cookie.name}=${cookie.value}`)
      .join('; ');
  }
}

/** What a form would send when `button` is pressed: typed-in credentials, ticked checkboxes, and all hidden inputs. */
function fill(form, { button, username, password }) {
  if (!form) throw new Error('the button belongs to no form');
  const fields = new URLSearchParams();
  for (const input of form.querySelectorAll('input, select, textarea')) {
    const name = input.getAttribute('name');
    const type = (input.getAttribute('type') ?? 'text').toLowerCase();
    if (!name || input.hasAttribute('disabled') || ['submit', 'image', 'button', 'reset', 'file'].includes(type)) continue;
    if (type === 'radio' && !input.hasAttribute('checked')) continue;
    let value = input.getAttribute('value') ?? (type === 'checkbox' || type === 'radio' ? 'on' : '');
    if (input.tagName === 'SELECT') value = (input.querySelector('option[selected]') ?? input.querySelector('option'))?.getAttribute('value') ?? '';
    if (input.tagName === 'TEXTAREA') value = input.text;
    if (input.id === 'username' && !input.hasAttribute('readonly')) value = username;
    if (input.id === 'password') value = password;
    fields.append(name, value);
  }
  if (button?.getAttribute('name')) fields.append(button.getAttribute('name'), button.getAttribute('value') ?? '');
  return {
    action: button?.getAttribute('formaction') ?? form.getAttribute('action'),
    method: (button?.getAttribute('formmethod') ?? form.getAttribute('method') ?? 'get').toUpperCase(),
    fields,
  };
}

const owner = (document, button) => (button.getAttribute('form') ? document.getElementById(button.getAttribute('form')) : button.closest('form'));
const leadsTo = (url, until) => url.href.startsWith(until) && ['', '?', '#', '&'].includes(url.href.charAt(until.length));
const loopback = (url) => ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
const show = ({ method, url }) => `${method} ${url.origin}${url.pathname}`;
const text = (document) => (document.querySelector('main') ?? document.querySelector('body') ?? document).structuredText.slice(0, 1000);
