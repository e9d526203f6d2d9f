//! `fd.*`: the descriptor that an event creates or uses.

use super::{ArgumentRule, CarriedBy::*, Field, field, text};
use crate::language::types::Type;

pub(super) const FIELDS: &[Field] = &[
    field("fd.num", Type::I64, Descriptor, "The descriptor; -1 when the call that was to make it failed."),
    text("fd.type", Descriptor, "`file`, `directory`, `ipv4`, `ipv6`, `unix`, `pipe` and so on."),
    text("fd.typechar", Descriptor, "One letter for the type: `f`, `d`, `4`, `6`, `u`, `p` and so on."),
    text("fd.name", Descriptor, "Path of a file; `client->server` addresses of a connection."),
    text("fd.nameraw", Descriptor, "Path as the process gave it."),
    text("fd.directory", Descriptor, "Directory of a file, without a slash at the end."),
    text("fd.filename", Descriptor, "Last component of a file's path."),
    field("fd.ip", Type::Address, Socket, "Address of the client or of the server.").filter_only(),
    field("fd.cip", Type::Address, Socket, "Address of the client."),
    field("fd.sip", Type::Address, Socket, "Address of the server."),
    field("fd.lip", Type::Address, Socket, "Address of this host."),
    field("fd.rip", Type::Address, Socket, "Address of the other host."),
    field("fd.port", Type::Port, Socket, "Port of the client or of the server.").filter_only(),
    field("fd.cport", Type::Port, Socket, "Port of the client."),
    field("fd.sport", Type::Port, Socket, "Port of the server."),
    field("fd.lport", Type::Port, Socket, "Port on this host."),
    field("fd.rport", Type::Port, Socket, "Port on the other host."),
    text("fd.proto", Socket, "Service name of the client's or the server's port.").filter_only(),
    text("fd.cproto", Socket, "Service name of the client's port."),
    text("fd.sproto", Socket, "Service name of the server's port."),
    text("fd.lproto", Socket, "Service name of the port on this host."),
    text("fd.rproto", Socket, "Service name of the port on the other host."),
    field("fd.net", Type::Network, Socket, "The client or the server is in the network.").filter_only(),
    field("fd.cnet", Type::Network, Socket, "The client is in the network.").filter_only(),
    field("fd.snet", Type::Network, Socket, "The server is in the network.").filter_only(),
    field("fd.lnet", Type::Network, Socket, "The address on this host is in the network.").filter_only(),
    field("fd.rnet", Type::Network, Socket, "The other host is in the network.").filter_only(),
    text("fd.cip.name", Socket, "A name of the client's address, as this host's own look-ups found it.")
        .plain(),
    text("fd.sip.name", Socket, "A name of the server's address, as this host's own look-ups found it.")
        .plain(),
    text("fd.lip.name", Socket, "A name of the address on this host.").plain(),
    text("fd.rip.name", Socket, "A name of the other host's address, as this host's own look-ups found it.")
        .plain(),
    text("fd.l4proto", Descriptor, "`tcp`, `udp`, `icmp` or `raw`; `<NA>` for what is no IP socket."),
    text("fd.sockfamily", Socket, "`ip` or `unix`."),
    field("fd.is_server", Type::Bool, Socket, "The process is the server of the connection."),
    field("fd.connected", Type::Bool, Socket, "The socket is connected."),
    field("fd.name_changed", Type::Bool, Descriptor, "This event changed the name of the descriptor."),
    text("fd.uid", Descriptor, "Process id and descriptor, unique on the host."),
    text("fd.containername", Descriptor, "Container and name of the descriptor, joined by a colon."),
    text("fd.containerdirectory", Descriptor, "Container and directory of the file, joined by a colon."),
    field("fd.dev", Type::U32, Descriptor, "Device number of the file."),
    field("fd.dev.major", Type::U32, Descriptor, "Major device number of the file."),
    field("fd.dev.minor", Type::U32, Descriptor, "Minor device number of the file."),
    field("fd.ino", Type::I64, Descriptor, "Inode of the file."),
    text("fd.types", Every, "Types of all descriptors of the process, or of one number.")
        .with(ArgumentRule::OptionalIndex)
        .many(),
    field("fd.is_upper_layer", Type::Bool, Descriptor, "The file is in the upper layer of an overlay."),
    field("fd.is_lower_layer", Type::Bool, Descriptor, "The file is in a lower layer of an overlay."),
    text("fdlist.nums", Every, "Descriptors of a poll, with a comma between them."),
    text("fdlist.names", Every, "Names of the descriptors of a poll, with a comma between them."),
    text("fdlist.cips", Every, "Client addresses of the descriptors of a poll, with a comma between them."),
    text("fdlist.sips", Every, "Server addresses of the descriptors of a poll, with a comma between them."),
    text("fdlist.cports", Every, "Client ports of the descriptors of a poll, with a comma between them."),
    text("fdlist.sports", Every, "Server ports of the descriptors of a poll, with a comma between them."),
];
