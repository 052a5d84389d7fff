// Package mailbox is a simulated mail server: a real SMTP conversation (RFC
// 5321) with STARTTLS (RFC 3207) and AUTH (RFC 4954) over loopback, which keeps
// what it is sent so that tests can look at what people would read.
//
// It is strict: it takes credentials over TLS only, no mail without them, and
// no message that a careful server would refuse: lines that do not end in CRLF
// or are longer than 998 characters, headers that are not ASCII, are there
// twice or are missing, parts that cannot be decoded. And it misbehaves on
// request, in the ways mail servers do.
package mailbox
