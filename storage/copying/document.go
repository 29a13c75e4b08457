package copying

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// document is JSON in two forms: as it is written into a database, and as it compares. PostgreSQL keeps neither the
// order of names nor how a number was written.
type document struct{ text, compared string }

func newDocument(text string) (document, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var content any
	if err := decoder.Decode(&content); err != nil {
		return document{}, fmt.Errorf("is no JSON: %w", err)
	}
	if err := checkNames(content); err != nil {
		return document{}, err
	}
	written, err := encoded(mapped(content, func(n json.Number) json.Number { return n }))
	if err != nil {
		return document{}, err
	}
	compared, err := encoded(mapped(content, plainNumber))
	return document{written, compared}, err
}

func encoded(content any) (string, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(content) // names in order
	return strings.TrimSuffix(text.String(), "\n"), err
}

// checkNames refuses a document with names that PostgreSQL cannot keep. To mend them as texts are could make two of
// them one.
func checkNames(content any) error {
	switch content := content.(type) {
	case []any:
		for _, value := range content {
			if err := checkNames(value); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, value := range content {
			if mended(name) != name {
				return fmt.Errorf("has the name %q, in which there is what PostgreSQL cannot keep", name)
			}
			if err := checkNames(value); err != nil {
				return err
			}
		}
	}
	return nil
}

// mapped is a document with its texts mended and its numbers changed.
func mapped(content any, number func(json.Number) json.Number) any {
	switch content := content.(type) {
	case string:
		return mended(content)
	case json.Number:
		return number(content)
	case []any:
		list := make([]any, len(content))
		for i := range content {
			list[i] = mapped(content[i], number)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(content))
		for name, value := range content {
			object[name] = mapped(value, number)
		}
		return object
	}
	return content
}

// plainNumber writes a number as its digits and an exponent, so that 150, 150.0 and 1.5e2 are the same: 15e1.
func plainNumber(number json.Number) json.Number {
	mantissa, power, _ := strings.Cut(strings.ToLower(string(number)), "e")
	exponent, err := strconv.ParseInt(cmp.Or(power, "0"), 10, 32)
	if err != nil {
		return number // no database would take it
	}
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	significant := strings.TrimRight(digits, "0")
	if significant == "" {
		return "0"
	}
	exponent += int64(len(digits) - len(significant) - len(fraction))
	return json.Number(sign + significant + "e" + strconv.FormatInt(exponent, 10))
}
