package factors

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/go-webauthn/webauthn/metadata"
	"github.com/go-webauthn/webauthn/metadata/providers/memory"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/google/uuid"

	"github.com/wicket-id/wicket/cmd/internal/e2e/harness"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/factor"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/oidc/clients"
	"github.com/wicket-id/wicket/storage"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// command runs a command of the browser's protocol.
func command[P, R any](w *harness.Window, command cdp.Command[P, R], params P) R {
	w.T.Helper()
	var result R
	w.Do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) (err error) {
		result, err = cdp.Call(ctx, target, command, params)
		return err
	}))
	return result
}

// virtual is an authenticator of Chromium's.
type virtual struct {
	w  *harness.Window
	id webauthn.AuthenticatorID
}

// platform is what is built into a laptop or a phone; usbKey is a key on USB that verifies nobody.
var (
	platform = webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Ctap2version: "ctap2_1", Transport: "internal", HasResidentKey: true, HasUserVerification: true,
		IsUserVerified:              true,
		AutomaticPresenceSimulation: true,
	}
	usbKey = webauthn.VirtualAuthenticatorOptions{Protocol: "u2f", Transport: "usb", AutomaticPresenceSimulation: true}
)

func authenticator(w *harness.Window, options webauthn.VirtualAuthenticatorOptions) virtual {
	w.T.Helper()
	command(w, webauthn.Enable, webauthn.EnableParams{})
	return virtual{
		w,
		command(
			w, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &options},
		).AuthenticatorID,
	}
}

func (v virtual) credentials() []*webauthn.Credential {
	v.w.T.Helper()
	return command(v.w, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: v.id}).Credentials
}

// present says whether somebody touches the authenticator when it asks.
func (v virtual) present(is bool) {
	v.w.T.Helper()
	command(v.w, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{
		AuthenticatorID: v.id, Enabled: is,
	})
}

// verifies says whether it recognises its owner.
func (v virtual) verifies(is bool) {
	v.w.T.Helper()
	command(v.w, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{AuthenticatorID: v.id, IsUserVerified: is})
}

// unplug takes it away.
func (v virtual) unplug() {
	v.w.T.Helper()
	command(v.w, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: v.id})
}

// withoutAutofill makes pages ask for a passkey only where somebody presses the button, as browsers do that know no
// autofill. A virtual authenticator answers autofill at once, as no person would.
func withoutAutofill(w *harness.Window) {
	w.T.Helper()
	command(w, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{
		Source: "PublicKeyCredential.isConditionalMediationAvailable = async () => false",
	})
}

// addKey registers a passkey or security key on its page.
func addKey(w *harness.Window, issuer, page string) {
	w.T.Helper()
	w.Open(issuer + page)
	w.Click("#add-key")
	w.WaitForText("Added. From now on")
}

// app is a page that an app's redirect leads to, which shows the code.
func codeApp(t testing.TB, h *harness.Server) harness.Client {
	t.Helper()
	origin := harness.ServeApp(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(
			rw, `<!doctype html><title>App</title><link rel="icon" href="data:,"><p>Back at the app</p><p id="code">%s</p>`,
			r.URL.Query().Get("code"),
		)
	}))
	return h.AddClient(t, func(c *clients.Client) { c.RedirectURIs, c.IsTrusted = []string{origin + "/"}, true })
}

// tokensOf redeems the code that the window has come back to the app with.
func tokensOf(t testing.TB, h *harness.Server, w *harness.Window, client harness.Client) harness.Answer {
	t.Helper()
	w.WaitForText("Back at the app")
	return h.Call(t, oidc.PathToken, client, url.Values{
		"grant_type": {oidc.GrantCode}, "code": {w.Text("#code")}, "redirect_uri": {client.RedirectURIs[0]},
		"code_verifier": {harness.CodeVerifier},
	})
}

func appURL(h *harness.Server, client harness.Client, change url.Values) string {
	parameters := url.Values{"redirect_uri": client.RedirectURIs}
	for name, values := range change {
		parameters[name] = values
	}
	return h.AuthorizeURL(client, parameters)
}

// Offered after a password, registered, and from then on the way in: by autofill, and by the button.
func TestPasskeyInABrowser(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		w, client := harness.OpenWindow(t), codeApp(t, h)
		phone := authenticator(w, platform)
		w.Open(appURL(h, client, nil))
		w.WaitFor(`document.getElementById("able").value === "yes"`)
		w.SignIn(harness.Username, harness.Password)
		w.Reads("main", "Add a passkey")
		w.Look("passkey-offer")
		w.Click("#add-key")
		claims := harness.IDClaims(t, tokensOf(t, h, w, client))
		if claims.ACR != identity.ACRPhishingResistant || !slices.Contains(claims.AMR, "pwd") {
			t.Errorf("after a password and a new passkey: %+v", claims)
		}
		held := phone.credentials()
		if len(held) != 1 || !held[0].IsResidentCredential || held[0].RpID != "localhost" ||
			string(held[0].UserHandle) != string(h.User.ID[:]) {
			t.Fatalf("the authenticator holds %+v", held)
		}

		// Autofill: the page asks, and whoever touches the phone is in.
		w.Open(h.Issuer + "/account")
		w.Press("#sign-out")
		w.Open(appURL(h, client, nil))
		claims = harness.IDClaims(t, tokensOf(t, h, w, client))
		if claims.ACR != identity.ACRPhishingResistant || strings.Join(claims.AMR, " ") != "hwk user mfa" {
			t.Errorf("by autofill: %+v", claims)
		}

		// The button.
		withoutAutofill(w)
		w.Open(h.Issuer + "/account")
		w.Press("#sign-out")
		w.Open(appURL(h, client, url.Values{"acr_values": {identity.ACRMultiFactor}}))
		w.Look("signin-passkey")
		w.Click("#passkey")
		claims = harness.IDClaims(t, tokensOf(t, h, w, client))
		if claims.ACR != identity.ACRMultiFactor { // as the app has called it
			t.Errorf("by the button: %+v", claims)
		}
		w.Open(h.Issuer + "/account/security")
		w.Reads("main", "Passkeys", "Added", "used")
		w.Look("security")

		// Without a password at all.
		w.Press("#remove-password")
		w.Reads("main", "Your password is removed")
		if shown := h.NewBrowser(t).SignIn(t, harness.Page{}); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("the removed password: %s", shown.Status)
		}
		w.Press(`form[action="/account/passkeys/remove"] button`)
		w.Reads("#failure", "your only way to sign in")
	})
}

// A key that its owner has removed opens nothing any more, though the authenticator still holds it.
func TestRemovedPasskeyInABrowser(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		w := harness.OpenWindow(t)
		withoutAutofill(w)
		authenticator(w, platform)
		laptop := h.NewBrowser(t)
		w.Open(h.Issuer + "/sign-in")
		w.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("able").value = ""`))
		w.SignIn(harness.Username, harness.Password)
		addKey(w, h.Issuer, "/account/passkeys/new")
		laptop.SignIn(t, harness.Page{})
		w.Open(h.Issuer + "/account/security")
		w.Press(`form[action="/account/passkeys/remove"] button`)
		w.Reads("main", "Removed. Your other devices are signed out")
		if shown := laptop.Get(t, "/account"); !strings.Contains(shown.Text, `id="sign-in"`) {
			t.Error("another device is still signed in")
		}
		w.Open(h.Issuer + "/account")
		w.Press("#sign-out")
		w.Open(h.Issuer + "/sign-in")
		w.Click("#passkey")
		w.WaitForText("This passkey does not sign in here")
		w.Reads("#failure", "use your password")
	})
}

// The mail that tells of a new passkey takes it away, where its owner did not add it.
func TestDisownedPasskeyInABrowser(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		w := harness.OpenWindow(t)
		withoutAutofill(w)
		authenticator(w, platform)
		w.Open(h.Issuer + "/sign-in")
		w.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("able").value = ""`))
		w.SignIn(harness.Username, harness.Password)
		addKey(w, h.Issuer, "/account/passkeys/new")
		link, _ := h.Mail(t, "A new way to sign in to your account")
		if shown := h.NewBrowser(t).FollowLink(t, link, nil); !strings.Contains(shown.Text, `id="choose"`) {
			t.Fatalf("the mail's link: %s", shown.Status)
		}
		if keys, err := h.Factors.Passkeys().List(t.Context(), h.User.ID); err != nil || len(keys) != 0 {
			t.Errorf("left are %d passkeys, %v", len(keys), err)
		}
		w.Open(h.Issuer + "/sign-in")
		w.Click("#passkey")
		w.WaitForText("This passkey does not sign in here")
	})
}

// The passkey must recognise its owner: the browser will not go on without, and neither will the server if it does.
func TestUserVerificationIsRequired(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		w := harness.OpenWindow(t)
		withoutAutofill(w)
		phone := authenticator(w, platform)
		w.Open(h.Issuer + "/sign-in")
		w.SignIn(harness.Username, harness.Password)
		addKey(w, h.Issuer, "/account/passkeys/new")
		w.Open(h.Issuer + "/account")
		w.Press("#sign-out")
		phone.verifies(false)
		w.Open(h.Issuer + "/sign-in")
		w.Click("#passkey")
		w.WaitFor(`!document.querySelector("[data-failure]").hidden`)
		w.Reads("[data-failure]", "cancelled, or took too long")
		// As if a browser asked for less than it was told to.
		w.Do(chromedp.Evaluate[chromedp.Void](`{
			const form = document.querySelector("form[data-webauthn]"), options = JSON.parse(form.dataset.options);
			options.publicKey.userVerification = "discouraged";
			form.dataset.options = JSON.stringify(options);
		}`))
		w.Click("#passkey")
		w.WaitForText("This passkey does not sign in here")
		attempts, err := h.SignIns.Attempts().List(t.Context(), h.User.ID, 1)
		if err != nil || len(attempts) != 1 || attempts[0].FailureReason != "wrong_passkey" {
			t.Errorf("noted: %+v, %v", attempts, err)
		}
		// Nor can one be registered that does not verify.
		phone.unplug()
		h.SQL(t, "DELETE FROM passkeys")
		h.SQL(t, "UPDATE users SET has_webauthn = FALSE")
		authenticator(w, webauthn.VirtualAuthenticatorOptions{
			Protocol: "ctap2", Transport: "usb", HasResidentKey: true, AutomaticPresenceSimulation: true,
		})
		w.Open(h.Issuer + "/sign-in")
		w.SignIn(harness.Username, harness.Password)
		w.Open(h.Issuer + "/account/passkeys/new")
		w.Click("#add-key")
		w.WaitFor(`!document.querySelector("[data-failure]").hidden`)
	})
}

// What a key says to a page of another origin counts for nothing, though the host, and so the key, is the same.
func TestAssertionOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		w := harness.OpenWindow(t)
		withoutAutofill(w)
		authenticator(w, platform)
		w.Open(h.Issuer + "/sign-in")
		w.SignIn(harness.Username, harness.Password)
		addKey(w, h.Issuer, "/account/passkeys/new")
		evil := harness.ServeApp(t, http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = fmt.Fprint(rw, `<!doctype html><title>Elsewhere</title><link rel="icon" href="data:,"><p>Elsewhere</p>`)
		}))
		steal := func(origin string) harness.Page {
			t.Helper()
			visitor := h.NewBrowser(t)
			shown := visitor.Get(t, "/sign-in")
			options, state := passkeyQuestion(t, shown)
			w.Open(origin)
			response := harness.Ask(w, chromedp.Evaluate[string](`(async () => {
				const options = `+options+`.publicKey;
				const found = await navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)});
				return JSON.stringify(found.toJSON());
			})()`, chromedp.EvalAwaitPromise))
			form := url.Values{"state": {state}, "response": {response}}
			shown = visitor.Post(t, "/sign-in/passkey", form)
			if again := visitor.Post(t, "/sign-in/passkey", form); again.StatusCode != http.StatusUnauthorized {
				t.Errorf("the same answer once more: %s", again.Status)
			}
			return shown
		}
		if shown := steal(evil); shown.StatusCode != http.StatusUnauthorized {
			t.Errorf("from another origin: %s at %s", shown.Status, shown.Request.URL)
		}
		if shown := steal(h.Issuer + "/forgot-password"); shown.StatusCode != http.StatusOK ||
			!strings.Contains(shown.Text, "Alice Example") {
			t.Errorf("from our own: %s at %s", shown.Status, shown.Request.URL)
		}
	})
}

var (
	shownOptions = regexp.MustCompile(`data-options="([^"]*)"`)
	shownState   = regexp.MustCompile(`name="state" value="([^"]*)"`)
)

// passkeyQuestion is what a page asks a key.
func passkeyQuestion(t testing.TB, shown harness.Page) (options, state string) {
	t.Helper()
	found, held := shownOptions.FindStringSubmatch(shown.Text), shownState.FindStringSubmatch(shown.Text)
	if found == nil || held == nil {
		t.Fatalf("no question at %s:\n%s", shown.Request.URL, shown.Text)
	}
	options = strings.NewReplacer("&#34;", `"`, "&amp;", "&").Replace(found[1])
	if !json.Valid([]byte(options)) {
		t.Fatalf("the question is %s", options)
	}
	return options, held[1]
}

// A counter that goes back is what a copy of a key looks like: refused, noted, and its owner is told.
func TestClonedKeyInABrowser(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		w := harness.OpenWindow(t)
		withoutAutofill(w)
		phone := authenticator(w, platform)
		w.Open(h.Issuer + "/sign-in")
		w.SignIn(harness.Username, harness.Password)
		addKey(w, h.Issuer, "/account/passkeys/new")
		copied := *phone.credentials()[0]
		for range 2 {
			w.Open(h.Issuer + "/sign-in?switch=1")
			w.Click("#passkey")
			w.WaitForText("Alice Example")
		}
		phone.unplug()
		able := platform
		able.HasCmtgKey = true // or the browser takes no credential from this library
		thief := authenticator(w, able)
		command(w, webauthn.AddCredential, webauthn.AddCredentialParams{AuthenticatorID: thief.id, Credential: &copied})
		w.Open(h.Issuer + "/account")
		w.Press("#sign-out")
		w.Open(h.Issuer + "/sign-in")
		w.Click("#passkey")
		w.WaitForText("This passkey does not sign in here")
		link, mail := h.Mail(t, "One of your keys may have been copied")
		if link == "" || !strings.Contains(mail.Text, "its count went back") {
			t.Errorf("the mail says\n%s", mail.Text)
		}
		passkeys, err := h.Factors.Passkeys().List(t.Context(), h.User.ID)
		if err != nil || len(passkeys) != 1 || passkeys[0].CloneWarningAt == nil {
			t.Errorf("kept: %+v, %v", passkeys, err)
		}
	})
}

// A key on USB as the second step, beside others; and only a key will do where an app wants to be phishing-resistant.
func TestHardwareKeyInABrowser(t *testing.T) {
	t.Parallel()
	harness.Each(t, func(t *testing.T, h *harness.Server) {
		w, client := harness.OpenWindow(t), codeApp(t, h)
		usb := authenticator(w, usbKey)
		w.Open(appURL(h, client, nil))
		w.SignIn(harness.Username, harness.Password)
		if claims := harness.IDClaims(t, tokensOf(t, h, w, client)); claims.ACR != identity.ACRPassword {
			t.Errorf("before: %+v", claims)
		}
		addKey(w, h.Issuer, "/account/hardware-keys/new")
		keys, err := h.Factors.HardwareKeys().List(t.Context(), h.User.ID)
		if err != nil || len(keys) != 1 || keys[0].AttestationFormat != "fido-u2f" || len(keys[0].Attestation) < 100 {
			t.Fatalf("kept: %+v, %v", keys, err)
		}
		second := authenticator(w, webauthn.VirtualAuthenticatorOptions{
			Protocol: "ctap2", Transport: "nfc", AutomaticPresenceSimulation: true,
		})
		usb.present(false) // the other one is held to the reader
		addKey(w, h.Issuer, "/account/hardware-keys/new")
		if n := len(second.credentials()); n != 1 {
			t.Errorf("the second key holds %d credentials", n)
		}
		second.unplug()
		usb.present(true)

		w.Open(h.Issuer + "/account")
		w.Press("#sign-out")
		w.Open(appURL(h, client, nil))
		w.SignIn(harness.Username, harness.Password)
		w.Reads("main", "One more step", "Do not ask again")
		w.Look("second-step-key")
		w.Click("#trust")
		w.Click("#use-key")
		claims := harness.IDClaims(t, tokensOf(t, h, w, client))
		if claims.ACR != identity.ACRPhishingResistant || strings.Join(claims.AMR, " ") != "pwd hwk user mfa" {
			t.Errorf("with the key: %+v", claims)
		}

		// From a trusted browser: the app that wants a key gets one.
		w.Open(h.Issuer + "/account")
		w.Press("#sign-out")
		w.Open(appURL(h, client, nil))
		w.SignIn(harness.Username, harness.Password)
		if claims := harness.IDClaims(t, tokensOf(t, h, w, client)); claims.ACR != identity.ACRPassword {
			t.Errorf("from a trusted browser: %+v", claims)
		}
		w.Open(appURL(h, client, url.Values{"acr_values": {identity.ACRPhishingResistant}}))
		w.Reads("main", "One more step")
		w.Click("#use-key")
		if claims := harness.IDClaims(t, tokensOf(t, h, w, client)); claims.ACR != identity.ACRPhishingResistant {
			t.Errorf("stepped up: %+v", claims)
		}
	})
}

// The operator allows certain models, or none that does not attest what it is.
func TestHardwareKeyPolicyInABrowser(t *testing.T) {
	t.Parallel()
	nobodyListed, err := memory.New(
		memory.WithMetadata(map[uuid.UUID]*metadata.Entry{}), memory.WithValidateEntry(true),
		memory.WithValidateTrustAnchor(true),
	)
	if err != nil {
		t.Fatal(err)
	}
	for want, policy := range map[string]factor.HardwareKeyPolicy{
		"not allowed here": {Models: []uuid.UUID{uuid.MustParse("ee882879-721c-4913-9775-3dfcce97072a")}},
		"not accepted":     {Attestation: true, Metadata: nobodyListed},
	} {
		t.Run(want, func(t *testing.T) {
			h := harness.Start(t, storagetest.URL(t, storage.SQLite), func(c *harness.Config) {
				c.RelyingParty = harness.RelyingParty(t, c.Issuer, policy)
			})
			w := harness.OpenWindow(t)
			authenticator(w, webauthn.VirtualAuthenticatorOptions{
				Protocol: "ctap2", Transport: "usb", AutomaticPresenceSimulation: true,
			})
			w.Open(h.Issuer + "/sign-in")
			w.SignIn(harness.Username, harness.Password)
			w.Open(h.Issuer + "/account/hardware-keys/new")
			w.Click("#add-key")
			w.WaitForText(want)
			if keys, err := h.Factors.HardwareKeys().List(t.Context(), h.User.ID); err != nil || len(keys) > 0 {
				t.Errorf("kept: %+v, %v", keys, err)
			}
		})
	}
}

// Where attestation is required, a key whose maker the metadata knows is taken.
func TestAttestedHardwareKeyInABrowser(t *testing.T) {
	t.Parallel()
	add := func(policy factor.HardwareKeyPolicy, want string) *harness.Server {
		t.Helper()
		h := harness.Start(t, storagetest.URL(t, storage.SQLite), func(c *harness.Config) {
			c.RelyingParty = harness.RelyingParty(t, c.Issuer, policy)
		})
		w := harness.OpenWindow(t)
		authenticator(w, webauthn.VirtualAuthenticatorOptions{
			Protocol: "ctap2", Transport: "usb", AutomaticPresenceSimulation: true,
		})
		w.Open(h.Issuer + "/sign-in")
		w.SignIn(harness.Username, harness.Password)
		w.Open(h.Issuer + "/account/hardware-keys/new")
		w.Click("#add-key")
		w.WaitForText(want)
		return h
	}
	// What the authenticator of this browser attests with, as its maker would publish it.
	h := add(factor.HardwareKeyPolicy{}, "Added. From now on")
	keys, err := h.Factors.HardwareKeys().List(t.Context(), h.User.ID)
	if err != nil || len(keys) != 1 || keys[0].AttestationFormat != "packed" {
		t.Fatalf("kept: %+v, %v", keys, err)
	}
	var kept struct {
		Object []byte `json:"object"`
	}
	if err := json.Unmarshal(keys[0].Attestation, &kept); err != nil {
		t.Fatal(err)
	}
	var object protocol.AttestationObject
	if err := webauthncbor.Unmarshal(kept.Object, &object); err != nil {
		t.Fatal(err)
	}
	maker, err := x509.ParseCertificate(object.AttStatement["x5c"].([]any)[0].([]byte))
	if err != nil {
		t.Fatal(err)
	}
	listed := func(
		certificate *x509.Certificate, status metadata.AuthenticatorStatus, chain bool,
	) factor.HardwareKeyPolicy {
		provider, err := memory.New(
			memory.WithValidateEntry(true), memory.WithValidateTrustAnchor(chain), memory.WithValidateStatus(true),
			memory.WithMetadata(map[uuid.UUID]*metadata.Entry{
				keys[0].AAGUID: {AaGUID: keys[0].AAGUID, StatusReports: []metadata.StatusReport{{Status: status}},
					MetadataStatement: metadata.Statement{
						AaGUID: keys[0].AAGUID, ProtocolFamily: "fido2",
						AttestationTypes:            metadata.AuthenticatorAttestationTypes{metadata.BasicFull},
						AttestationRootCertificates: []*x509.Certificate{certificate},
					}},
			}))
		if err != nil {
			t.Fatal(err)
		}
		return factor.HardwareKeyPolicy{Attestation: true, Metadata: provider}
	}
	// The browser's own root is nowhere to be had: with the chain left aside the rest must hold, and with it nothing may.
	add(listed(maker, metadata.FidoCertified, false), "Added. From now on")
	add(listed(maker, metadata.AttestationKeyCompromise, false), "not accepted")
	add(listed(maker, metadata.FidoCertified, true), "not accepted")
}

// Without JavaScript the pages say what to do instead, and codes work.
func TestSecondStepWithoutJavaScript(t *testing.T) {
	t.Parallel()
	h := harness.Start(t, storagetest.URL(t, storage.SQLite))
	b := h.NewBrowser(t)
	b.SignIn(t, harness.Page{})
	secret, _ := b.AddAuthenticator(t, "")
	w := harness.OpenWindow(t)
	command(w, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	w.Open(h.Issuer + "/sign-in")
	w.Reads("main", "Passkeys need JavaScript; your password does not")
	for _, dead := range []string{"#passkey", "[data-show]", ".or"} { // what does nothing is not shown
		if harness.Ask(w, chromedp.Evaluate[bool](`document.querySelector("`+dead+`").checkVisibility()`)) {
			t.Errorf("%s shows", dead)
		}
	}
	w.SignIn(harness.Username, harness.Password)
	w.Look("second-step-code")
	w.Do(chromedp.SendKeys(chromedp.CSS("#code"), harness.TOTPCode(t, secret, 0)))
	w.Press("#verify")
	w.Reads("main", "Alice Example")
	w.Open(h.Issuer + "/account/passkeys/new")
	w.Reads("main", "need JavaScript", "authenticator app instead")
	w.Open(h.Issuer + "/account/totps/new")
	w.Look("new-app")
	w.Open(h.Issuer + "/account/security")
	w.Press("#make-codes")
	w.Look("backup-codes")
	client := codeApp(t, h)
	h.SQL(t, "UPDATE clients SET required_acr = ? WHERE id = ?", identity.ACRPhishingResistant, client.ID)
	w.Open(appURL(h, client, nil))
	w.Reads("main", "Protect your account first")
	w.Look("enrol")
}
