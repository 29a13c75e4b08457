package identity_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wicket-id/wicket/identity"
)

// What a browser says of itself names it by words of ours alone, and is kept in text that both databases take; and
// whoever changes what they say stays in the network that they are in.
func FuzzDevice(f *testing.F) {
	for _, agent := range []string{
		"", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0", "curl/8.5.0", "<script>alert(1)</script>/1.0", "https://evil.example/ (Android; Linux)",
		"Mozilla/5.0 (", "((((((((", ";;;;/////", "\xff\xfe/1.0", strings.Repeat("Mozilla/5.0 (", 200), strings.Repeat("é", 300), "Version/ Safari/ Mobile", "Opera/9.80 (J2ME/MIDP; Opera Mini/9.80) Presto/2.5",
	} {
		f.Add(agent, "en", "192.0.2.7")
	}
	for _, ip := range []string{"", "x", "::1", "2001:db8::1", "::ffff:192.0.2.7", "fe80::1%eth0", "192.0.2.7:80", "[::1]", "0x7f.1", "1.2.3.4 "} {
		f.Add("curl/8.5.0", "de, en;q=0.5", ip)
	}
	f.Fuzz(func(t *testing.T, agent, language, ip string) {
		device := identity.Device{UserAgent: agent, Language: language, IP: ip}
		label, _ := device.Describe()
		name, system, _ := strings.Cut(label, " on ")
		for _, word := range []string{name, system} {
			if len(word) > 20 || strings.ContainsAny(word, "<>/:.;()\"'\\") || !utf8.ValidString(word) {
				t.Fatalf("%q is called %q", agent, label)
			}
		}
		if kept := device.StoredUserAgent(); !utf8.ValidString(kept) || len(kept) > 512 {
			t.Fatalf("of %q is kept %q", agent, kept)
		}
		if print := device.Fingerprint(); len(print) != 16 || print != device.Fingerprint() {
			t.Fatalf("the fingerprint %q", print)
		}
		address, err := netip.ParseAddr(ip)
		if err != nil {
			if device.Source() != ip || len(device.Networks()) != 1 {
				t.Fatalf("%q is in %q", ip, device.Networks())
			}
			return
		}
		networks := device.Networks()
		if address.Unmap().Is4() != (len(networks) == 1) || len(networks) > 3 {
			t.Fatalf("%q is in %q", ip, networks)
		}
		for _, network := range append(slices.Clone(networks), identity.Network(ip)) {
			prefix, err := netip.ParsePrefix(network)
			if err != nil || !prefix.Contains(address.Unmap().WithZone("")) || prefix.Addr().Is4In6() {
				t.Fatalf("%q is in %q (%v)", ip, network, err)
			}
		}
		unmapped := identity.Device{IP: address.Unmap().String()}
		if networks[0] != device.Source() || !slices.Equal(networks, unmapped.Networks()) {
			t.Fatalf("%q is in %q", ip, networks)
		}
	})
}
