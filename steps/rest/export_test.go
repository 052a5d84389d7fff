package rest

import "net/http"

// NextLink is nextLink.
func NextLink(header http.Header) (string, error) { return nextLink(header) }
