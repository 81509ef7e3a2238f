"""Renders Open edX instances with Tutor, one forked process an instance.

The parent (`parent`) holds Tutor imported and no plugin; it speaks the framed protocol of
`frames` with its client and never runs code of an instance. Each request is answered by a child
(`child`) that the parent forks, limits and watches.
"""

#: Version of the protocol between client and worker. Both sides refuse any other.
PROTOCOL = 1
