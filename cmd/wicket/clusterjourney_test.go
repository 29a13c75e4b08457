package main

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/oidc"
	"github.com/wicket-id/wicket/storage/storagetest"
)

// Three replicas that take turns are one Wicket to whoever comes: to a person with a browser, to fifty at once whose every step
// is another replica's, to those whose sessions end, and to apps that work on while keys rotate and replicas stop, die and start.
func TestThreeReplicasAreOneWicket(t *testing.T) {
	c := openCluster(t, 3)
	load := c.newLoad(t)
	kid, from := c.rotateKeys(t) // and meanwhile
	t.Run("browser", func(t *testing.T) { journeyInABrowser(t, c) })
	t.Run("fifty at once", func(t *testing.T) { fiftyAtOnce(t, c) })
	for name, end := range endings {
		t.Run(name, func(t *testing.T) { seenByAll(t, c, end) })
	}
	load.start(t)
	t.Run("keys rotated under load", func(t *testing.T) { load.rotatedUnderLoad(t, kid, from) })
	t.Run("rolled under load", load.rolledUnderLoad)
	t.Run("killed under load", load.killedUnderLoad)
	load.stop(t)
	c.stop(t)
}

// journeyInABrowser goes from the sample app to its tokens and out again.
func journeyInABrowser(t *testing.T, c *cluster) {
	w, app := openWindow(t), c.sample(t)
	w.open(app)
	w.press("#sign-in")
	w.signIn(testUsername, "not the password")
	w.reads("#failure", "do not match")
	w.signIn(testUsername, testPassword)
	w.reads("main", "wants to use your account", "Alice Example")
	w.press("#allow")
	w.reads("#greeting", "Alice")
	w.reads("#id-token", c.issuer)
	w.press("#refresh")
	w.reads("#refreshes", "1")
	w.open(c.issuer + "/account")
	w.reads("ul.list", "This device", "127.0.0.1")
	w.open(app)
	w.press("#sign-out")
	w.reads("#signed-out", "signed out")
	w.open(c.issuer + "/account")
	w.reads("h1", "Sign in")
}

// fiftyAtOnce are fifty people who sign in on one replica, have their code made on another, the tokens on the third, and so on.
func fiftyAtOnce(t *testing.T, c *cluster) {
	client := c.client(t, nil)
	people := make(chan int, 50)
	for i := range cap(people) {
		c.register(t, identity.NewUser{Username: username(i), Email: username(i) + "@example.com", EmailVerified: true, Password: testPassword})
		people <- i
	}
	began := time.Now()
	took := atOnce(cap(people), func() time.Duration {
		began, i := time.Now(), <-people
		b := c.through(i).browser(t)
		if shown := b.signInAs(t, username(i)); shown.StatusCode != http.StatusOK || !isSignedIn(t, b) {
			t.Errorf("signing in: %s\n%s", shown.Status, shown.body)
		}
		tokens := c.through(i+2).redeem(t, client, at(t, b, c.through(i+1)).code(t, client, nil))
		refreshed := c.through(i).refresh(t, client, tokens.text("refresh_token"))
		again := c.through(i+1).refresh(t, client, refreshed.text("refresh_token"))
		if tokens.status != http.StatusOK || refreshed.status != http.StatusOK || again.status != http.StatusOK {
			t.Errorf("tokens: %d %v, %d %v, %d %v", tokens.status, tokens.json, refreshed.status, refreshed.json, again.status, again.json)
		}
		if info := c.through(i+2).userinfo(t, again.text("access_token")); info.status != http.StatusOK || info.text("email") != username(i)+"@example.com" {
			t.Errorf("userinfo of %s: %d %v", username(i), info.status, info.json)
		}
		if at(t, b, c.through(i+1)).post(t, "/account/sign-out", nil); isSignedIn(t, at(t, b, c.through(i+2))) {
			t.Errorf("%s signed out on one replica and is signed in on another", username(i))
		}
		if a := c.through(i).refresh(t, client, again.text("refresh_token")); a.text("error") != "invalid_grant" {
			t.Errorf("refreshed after the end of the session: %d %v", a.status, a.json)
		}
		return time.Since(began)
	})
	slices.Sort(took)
	t.Logf("fifty people in %s: the median in %s, the slowest in %s", time.Since(began).Round(time.Millisecond), took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
}

func username(i int) string { return fmt.Sprintf("person-%d", i) }

var deviceID = regexp.MustCompile(`action="/account/devices/end">\s*<input type="hidden" name="id" value="([^"]+)"`)

// endings are ways in which a session ends, from another device of the same person.
var endings = map[string]func(t *testing.T, other *browser, session string){
	"an ended session": func(t *testing.T, other *browser, session string) {
		if shown := other.post(t, "/account/devices/end", url.Values{"id": {session}}); shown.StatusCode != http.StatusOK {
			t.Fatalf("%s\n%s", shown.Status, shown.body)
		}
	},
	"a global logout": func(t *testing.T, other *browser, _ string) {
		if shown := other.post(t, "/account/sign-out-everywhere", nil); shown.StatusCode != http.StatusOK {
			t.Fatalf("%s\n%s", shown.Status, shown.body)
		}
	},
}

// seenByAll ends a session on one replica and measures when the others know.
func seenByAll(t *testing.T, c *cluster, end func(t *testing.T, other *browser, session string)) {
	name := "person-" + strings.ToLower(rand.Text())
	c.register(t, identity.NewUser{Username: name, Email: name + "@example.com", EmailVerified: true, Password: testPassword})
	client, device, other := c.client(t, nil), c.through(0).browser(t), c.through(0).browser(t)
	device.signInAs(t, name)
	tokens := c.redeem(t, client, device.code(t, client, nil))
	ids := deviceID.FindAllStringSubmatch(device.get(t, "/account").body, -1)
	if len(ids) != 1 {
		t.Fatalf("signed in on %d devices, not one", len(ids))
	}
	knows := func(i int) (alive []string) {
		there := c.through(i)
		if isSignedIn(t, at(t, device, there)) {
			alive = append(alive, "cookie")
		}
		if there.userinfo(t, tokens.text("access_token")).status == http.StatusOK {
			alive = append(alive, "access token")
		}
		if there.call(t, oidc.PathIntrospect, client, url.Values{"token": {tokens.text("access_token")}}).json["active"] == true {
			alive = append(alive, "introspection")
		}
		return alive
	}
	for i := range c.replicas {
		if alive := knows(i); len(alive) != 3 {
			t.Fatalf("replica %d knows of the session only: %v", i, alive)
		}
	}
	other.signInAs(t, name)
	end(t, other, ids[0][1])
	began := time.Now()
	storagetest.Eventually(t, time.Second, "all replicas know", func() bool {
		return !slices.ContainsFunc([]int{0, 1, 2}, func(i int) bool { return len(knows(i)) > 0 })
	})
	t.Logf("seen by all within %s", time.Since(began).Round(time.Millisecond))
	for i := range c.replicas {
		if a := c.through(i).refresh(t, client, tokens.text("refresh_token")); a.text("error") != "invalid_grant" {
			t.Errorf("refreshed by replica %d: %d %v", i, a.status, a.json)
		}
	}
}
