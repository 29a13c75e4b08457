package pages

import "github.com/wicket-id/wicket/web/locales"

// TextField is a field of a form that is filled in by typing, with what is wrong with it below.
type TextField struct {
	Name         string // posted under this name; also its id
	Label        locales.Key
	Value        string
	Type         string // of the input element
	Autocomplete string // what a browser may fill in: the tokens of HTML
	Hint         locales.Key
	Failure      string
	Rows         int // more than one line; 0 for an input element
	MaxLength    int
	Required     bool
	Focus        bool
}

// DescribedBy lists the ids of what is said about the field.
func (f TextField) DescribedBy() string {
	switch {
	case f.Failure != "" && f.Hint != "":
		return f.Name + "-failure " + f.Name + "-hint"
	case f.Failure != "":
		return f.Name + "-failure"
	case f.Hint != "":
		return f.Name + "-hint"
	}
	return ""
}

// fill writes what was typed and what is wrong into fields, and puts the cursor into the first one that is wrong.
func fill(fields []TextField, values, failures map[string]string, focused *bool) []TextField {
	for i := range fields {
		field := &fields[i]
		field.Value, field.Failure = values[field.Name], failures[field.Name]
		if field.Failure != "" && !*focused {
			field.Focus, *focused = true, true
		}
	}
	return fields
}
