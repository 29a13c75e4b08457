package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mattn/go-isatty"

	"github.com/wicket-id/wicket/cmd/internal/server"
	"github.com/wicket-id/wicket/identity"
	"github.com/wicket-id/wicket/identity/profile"
	"github.com/wicket-id/wicket/identity/refusal"
	"github.com/wicket-id/wicket/identity/transfer"
)

type userImport struct {
	File   string `arg:"" help:"The file of JSON lines, one person each; - is standard input."`
	DryRun bool   `name:"dry-run" help:"Check every line against the rules and the database, and keep nothing."`
	Report string `help:"Write the refused lines to this file, with reasons, as JSON lines. Without it they are told on standard error."`
}

const (
	maxImportLine     = 256 << 10 // bytes
	maxRefusalsTold   = 20        // on standard error
	progressInterval  = 10 * time.Second
	progressOnScreen  = 200 * time.Millisecond
	byteOrderMark     = "\ufeff"
	standardInputName = "-"
)

// importSummary is what an import came to.
type importSummary struct {
	DryRun       bool  `json:"dry_run"`
	Lines        int64 `json:"lines"` // that hold something
	Imported     int64 `json:"imported"`
	AlreadyThere int64 `json:"already_there"`
	Refused      int64 `json:"refused"`
}

// Run takes in the people of a file.
func (c userImport) Run(ctx context.Context, env server.Environment, out printer) error {
	file, size, err := c.open()
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	s, ctx, err := server.Beside(ctx, env)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	report, err := c.reportTo(file)
	if err != nil {
		return err
	}
	run := importRun{
		store: s.Transfer, dryRun: c.DryRun, refuse: report.add, summary: importSummary{DryRun: c.DryRun},
		progress: &importProgress{
			out: os.Stderr, screen: isTerminal(os.Stderr), began: time.Now(), size: size, now: time.Now,
		},
	}
	err = run.all(ctx, file)
	run.progress.end(run.summary)
	err = errors.Join(err, report.close())
	if err != nil {
		_, _ = fmt.Fprintf(os.Stderr, "stopped after %d lines, %d imported; run it again to go on\n",
			run.summary.Lines, run.summary.Imported)
		return err
	}
	summary := run.summary
	err = out.print(summary, func() {
		done := "Imported"
		if c.DryRun {
			done = "Dry run: would import"
		}
		out.line("%s %d, already there %d, refused %d.", done, summary.Imported, summary.AlreadyThere, summary.Refused)
	})
	if err == nil && summary.Refused > 0 {
		err = fmt.Errorf("%d of %d lines were refused", summary.Refused, summary.Lines)
	}
	return err
}

// open opens the file, and tells its size where that is known.
func (c userImport) open() (*os.File, int64, error) {
	if c.File == standardInputName {
		return os.Stdin, 0, nil
	}
	file, err := os.Open(c.File)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory", c.File)
	}
	if err != nil {
		_ = file.Close()
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return file, 0, nil
	}
	return file, info.Size(), nil
}

// refusedLine is a line of the report.
type refusedLine struct {
	Line     int64  `json:"line"`
	Username string `json:"username"` // empty where the line could not be read
	Reason   string `json:"reason"`
}

// importReport takes the refused lines, into a file or onto standard error.
type importReport struct {
	file *os.File
	told int
}

// reportTo opens the report, which must not be the file that is read.
func (c userImport) reportTo(input *os.File) (*importReport, error) {
	if c.Report == "" {
		return &importReport{}, nil
	}
	if there, err := os.Stat(c.Report); err == nil {
		if read, err := input.Stat(); err == nil && os.SameFile(there, read) {
			return nil, errors.New("the report would overwrite the file that is imported")
		}
	}
	file, err := os.OpenFile(c.Report, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	return &importReport{file: file}, err
}

func (r *importReport) add(line refusedLine) error {
	if r.file != nil {
		return json.NewEncoder(r.file).Encode(line)
	}
	if r.told++; r.told <= maxRefusalsTold {
		_, _ = fmt.Fprintf(os.Stderr, "line %d %q: %s\n", line.Line, line.Username, line.Reason)
	} else if r.told == maxRefusalsTold+1 {
		_, _ = fmt.Fprintln(os.Stderr, "and more; --report FILE tells all of them")
	}
	return nil
}

func (r *importReport) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// importRun is one way through a file.
type importRun struct {
	store    *transfer.Store
	dryRun   bool
	refuse   func(refusedLine) error
	progress *importProgress
	summary  importSummary
}

// all reads line by line, so that a file of any size takes the memory of one line. It stops between two people.
func (r *importRun) all(ctx context.Context, file io.Reader) error {
	reader := bufio.NewReaderSize(file, maxImportLine)
	for number := int64(1); ; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, length, err := readLine(reader)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte(byteOrderMark))
		}
		if len(bytes.TrimSpace(line)) > 0 || length > maxImportLine {
			if err := r.one(ctx, number, line, length); err != nil {
				return fmt.Errorf("line %d: %w", number, err)
			}
		}
		r.progress.show(r.summary, length)
		if err != nil {
			return nil
		}
	}
}

// readLine returns the next line, which is good until the next call, and its length. Of a line that is too long it
// returns nothing but the length.
func readLine(reader *bufio.Reader) (line []byte, length int, err error) {
	line, err = reader.ReadSlice('\n')
	length = len(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = reader.ReadSlice('\n')
		length += len(line)
		line = nil
	}
	if length > maxImportLine {
		line = nil
	}
	return line, length, err
}

func (r *importRun) one(ctx context.Context, number int64, line []byte, length int) error {
	r.summary.Lines++
	var person importLine
	var err error
	if length > maxImportLine {
		err = refused(fmt.Sprintf("the line is longer than %d bytes", maxImportLine))
	} else if err = person.read(line); err == nil {
		_, err = r.store.Import(ctx, person.person(r.dryRun))
	}
	var faults refusal.FieldFaults
	var unread refused
	switch {
	case err == nil:
		r.summary.Imported++
	case errors.Is(err, identity.ErrUsernameTaken):
		r.summary.AlreadyThere++
	case errors.As(err, &faults), errors.As(err, &unread):
		r.summary.Refused++
		return r.refuse(refusedLine{Line: number, Username: person.Username, Reason: err.Error()})
	default:
		return err
	}
	return nil
}

// importLine is a line of the file: docs/import.md describes it.
type importLine struct {
	Username     string           `json:"username"`
	PasswordHash string           `json:"password_hash"`
	IsActive     *bool            `json:"is_active"` // left out: true
	CreatedAt    time.Time        `json:"created_at"`
	Name         string           `json:"name"`
	GivenName    string           `json:"given_name"`
	FamilyName   string           `json:"family_name"`
	MiddleName   string           `json:"middle_name"`
	Nickname     string           `json:"nickname"`
	Profile      string           `json:"profile"`
	Picture      string           `json:"picture"`
	Website      string           `json:"website"`
	Gender       string           `json:"gender"`
	Birthdate    string           `json:"birthdate"`
	Zoneinfo     string           `json:"zoneinfo"`
	Locale       string           `json:"locale"`
	Address      *profile.Address `json:"address"`
	Emails       []struct {
		Address  string `json:"address"`
		Verified bool   `json:"verified"`
		Primary  bool   `json:"primary"`
	} `json:"emails"`
	Phones []struct {
		Number   string `json:"number"`
		Verified bool   `json:"verified"`
		Primary  bool   `json:"primary"`
	} `json:"phones"`
	Roles []string `json:"roles"`
}

// refused is why a line could not be read.
type refused string

// Error is the reason.
func (r refused) Error() string { return string(r) }

// read reads a line, or says why it cannot; what it says holds no value of the line, for that may be a hash.
func (l *importLine) read(line []byte) error {
	if !utf8.Valid(line) {
		return refused("the line is not UTF-8")
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(l)
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	var wrongTime *time.ParseError
	switch {
	case errors.As(err, &wrongType):
		if wrongType.Field == "" {
			return refused("the line is not a JSON object")
		}
		return refused(wrongType.Field + ": this must not be a JSON " + strings.Fields(wrongType.Value)[0])
	case errors.As(err, &wrongTime), err != nil && strings.HasPrefix(err.Error(), "Time."):
		return refused("created_at: this is not a time such as 2019-03-01T12:00:00Z")
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return refused("the line is not JSON")
	case err != nil:
		return refused(strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return refused("the line holds more than one JSON value")
	}
	return nil
}

func (l *importLine) person(dryRun bool) transfer.Import {
	person := transfer.Import{
		Username: l.Username, PasswordHash: l.PasswordHash, IsActive: l.IsActive == nil || *l.IsActive,
		CreatedAt: l.CreatedAt, Roles: l.Roles, DryRun: dryRun,
		Profile: profile.Profile{
			Name: l.Name, GivenName: l.GivenName, FamilyName: l.FamilyName, MiddleName: l.MiddleName, Nickname: l.Nickname,
			Profile: l.Profile, Picture: l.Picture, Website: l.Website, Gender: l.Gender, Birthdate: l.Birthdate,
			Zoneinfo: l.Zoneinfo, Locale: l.Locale, Address: l.Address,
		},
	}
	for _, email := range l.Emails {
		person.Emails = append(person.Emails, transfer.ImportContact{
			Value: email.Address, Verified: email.Verified, Primary: email.Primary,
		})
	}
	for _, phone := range l.Phones {
		person.Phones = append(person.Phones, transfer.ImportContact{
			Value: phone.Number, Verified: phone.Verified, Primary: phone.Primary,
		})
	}
	return person
}

// importProgress tells how far an import is: one line that is written over on a screen, else a line every ten seconds.
type importProgress struct {
	out         io.Writer
	screen      bool
	began, last time.Time
	size, read  int64 // bytes; a size of 0 is not known
	now         func() time.Time
	shown       bool
}

func (p *importProgress) show(summary importSummary, length int) {
	p.read += int64(length)
	interval := progressInterval
	if p.screen {
		interval = progressOnScreen
	}
	now := p.now()
	if p.last.IsZero() {
		p.last = p.began
	}
	if now.Sub(p.last) < interval {
		return
	}
	p.last, p.shown = now, true
	p.write(summary, now)
}

func (p *importProgress) write(summary importSummary, now time.Time) {
	speed := float64(summary.Lines) / max(now.Sub(p.began).Seconds(), 0.001)
	text := fmt.Sprintf("%d lines, %.0f a second, %d refused", summary.Lines, speed, summary.Refused)
	if p.size > 0 {
		const width = 20
		done := int(min(width, p.read*width/p.size))
		bar := strings.Repeat("#", done) + strings.Repeat(".", width-done)
		text = fmt.Sprintf("[%s] %3d%%  %s", bar, min(100, p.read*100/p.size), text)
	}
	if p.screen {
		_, _ = fmt.Fprintf(p.out, "\r%s\x1b[K", text)
	} else {
		_, _ = fmt.Fprintln(p.out, text)
	}
}

// end leaves the line as it is at last.
func (p *importProgress) end(summary importSummary) {
	if p.screen && p.shown {
		p.write(summary, p.now())
		_, _ = fmt.Fprintln(p.out)
	}
}

// isTerminal tells whether somebody looks at a file.
func isTerminal(file *os.File) bool { return isatty.IsTerminal(file.Fd()) }
