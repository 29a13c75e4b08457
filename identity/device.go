package identity

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"

	"github.com/mileusna/useragent"
)

// Device is a browser as it shows itself.
type Device struct {
	UserAgent string
	Language  string // the header Accept-Language
	IP        string
	Secret    string `json:"-"` // what its cookie holds: see KnownDevice; empty where it has none
}

var (
	knownBrowsers = []string{
		useragent.Chrome, useragent.HeadlessChrome, useragent.Firefox, useragent.Safari, useragent.Edge, useragent.Opera,
		useragent.OperaMini, useragent.OperaTouch, useragent.Vivaldi, useragent.InternetExplorer, "Samsung Browser", "Brave",
		"DuckDuckGo",
	}
	knownSystems = []string{
		useragent.Windows, useragent.WindowsPhone, useragent.Android, useragent.MacOS, useragent.IOS, useragent.Linux,
		useragent.FreeBSD, useragent.ChromeOS, useragent.BlackBerry,
	}
)

const maxUserAgent = 512 // bytes kept of a User-Agent header

// Label names the device for its owner, such as "Firefox on Linux".
func (d Device) Label() string {
	label, _ := d.Describe()
	return label
}

// Describe names the device for its owner, such as "Firefox on Linux".
func (d Device) Describe() (label string, mobile bool) {
	agent := useragent.Parse(d.UserAgent)
	name, system := agent.Name, agent.OS
	// What a browser says of itself goes into mail and pages: only names that we know do, or a stranger would write there.
	if !slices.Contains(knownBrowsers, name) {
		name = "Unknown browser"
	}
	if agent.Device == "iPhone" || agent.Device == "iPad" {
		system = agent.Device
	} else if !slices.Contains(knownSystems, system) {
		system = ""
	}
	if system == "" {
		return name, agent.Mobile || agent.Tablet
	}
	return name + " on " + system, agent.Mobile || agent.Tablet
}

// Source is the network that the device is in, as far as limits tell networks apart: an IPv4 address, or the /64 of an
// IPv6 address, for that is what one subscriber has.
func (d Device) Source() string { return prefix(d.IP, 32, 64) }

// Networks are those that the device is in and that one subscriber may have, the narrowest first: an IPv4 address; or
// the /64, the /56 and the /48 of an IPv6 address.
func (d Device) Networks() []string {
	networks := []string{d.Source()}
	if address, err := netip.ParseAddr(d.IP); err == nil && address.Unmap().Is6() {
		networks = append(networks, prefix(d.IP, 32, 56), prefix(d.IP, 32, 48))
	}
	return networks
}

// Fingerprint is coarse on purpose: it stays when a browser is updated and changes when a cookie turns up in another
// browser, on another system or in another language.
func (d Device) Fingerprint() string {
	agent := useragent.Parse(d.UserAgent)
	sum := sha256.Sum256([]byte(strings.Join([]string{agent.Name, agent.OS, agent.Device, d.Language}, "\n")))
	return hex.EncodeToString(sum[:8])
}

// StoredUserAgent is the User-Agent header as rows keep it: UTF-8, at most 512 bytes.
func (d Device) StoredUserAgent() string {
	return strings.ToValidUTF8(d.UserAgent[:min(len(d.UserAgent), maxUserAgent)], "")
}

// Network is the part of an address that a household or an office keeps: /24 of IPv4, /48 of IPv6.
func Network(ip string) string { return prefix(ip, 24, 48) }

func prefix(ip string, bits4, bits6 int) string {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	bits := bits6
	if address = address.Unmap(); address.Is4() {
		bits = bits4
	}
	prefix, err := address.Prefix(bits)
	if err != nil {
		return ip
	}
	return prefix.String()
}
