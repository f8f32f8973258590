/* Request: what a client asks for after hello. Each is answered, at once or later, with the id that came with it. */
#ifndef GW_REQUEST_H
#define GW_REQUEST_H

#include "gateway/message.h"
#include "gateway/session.h"

/* A message of any type but hello, to a session that has said hello and is not ending. */
void gw_request(struct gw_session *session, const struct gw_message *message);

#endif
