"""Login: SaslHandshake and SaslAuthenticate."""

import logging

from core.stack.broker.broker import Broker
from core.stack.broker.errors import Code
from core.stack.broker.request import Request
from core.stack.broker.scram import MECHANISM, Refused
from core.stack.broker.wire import Writer

log = logging.getLogger(__name__)


def sasl_handshake(broker: Broker, request: Request, out: Writer) -> None:
    known = request.body.string() == MECHANISM and request.session.begin()
    out.i16(Code.NONE if known else Code.UNSUPPORTED_SASL_MECHANISM)
    out.array([MECHANISM], out.string)


def sasl_authenticate(broker: Broker, request: Request, out: Writer) -> None:
    exchange = request.session.exchange
    code, reason, answer = Code.NONE, None, b""
    if exchange is None:
        code, reason = Code.ILLEGAL_SASL_STATE, "a SaslHandshake comes first"
    else:
        try:
            answer = exchange.answer(request.body.blob())
        except Refused as refused:
            code, reason = Code.SASL_AUTHENTICATION_FAILED, str(refused)
            log.warning("a login from %s was refused: %s", request.client_host, reason)
    out.i16(code)
    out.string(reason)
    out.blob(answer)
    if request.version >= 1:
        out.i64(0)  # a session does not expire
