// Package screen shows runs to people: the live step tree of a terminal, the
// plain lines of a log file, and the report at the end. It only turns what the
// engine says into text; it decides nothing, and foreign text is cleaned before
// it is written anywhere.
package screen
