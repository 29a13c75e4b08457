package server

import (
	"fmt"
	"regexp"
	"strings"
)

const (
	helpWidth = 72

	helpIntroduction = "Each WICKET_* variable may be given as NAME_FILE instead, " +
		"the path of a file that holds the value. wicket config check says what holds here.\n"
)

// typed is what somebody may type, between the marks that Config's tags have around it.
var typed = regexp.MustCompile(`(^|[ (])'([^'\n]+)'`)

// plain is a text of a tag without the marks.
func plain(text string) string { return typed.ReplaceAllString(text, "$1$2") }

// Help describes the variables for a terminal.
func Help() string {
	var text strings.Builder
	text.WriteString(helpIntroduction)
	section := ""
	for _, v := range variables() {
		if v.Section != section {
			section = v.Section
			fmt.Fprintf(&text, "\n%s:\n", section)
		}
		fmt.Fprintf(&text, "\n  %s\n", strings.Join(v.Names, " or "))
		for _, line := range wrap(plain(v.Help), helpWidth) {
			fmt.Fprintf(&text, "      %s\n", line)
		}
		if v.Default != "" {
			fmt.Fprintf(&text, "      Default: %s\n", v.Default)
			continue
		}
		fmt.Fprintf(&text, "      Left out: %s\n", plain(v.Unset))
	}
	return text.String()
}

// wrap breaks a text into lines.
func wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}
