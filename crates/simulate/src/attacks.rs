//! The attacks, one file each. A new one is a file and a line here.

mod become_root;
mod change_sudo;
mod change_system;
mod clear_history;
mod clear_log;
mod escape_core_pattern;
mod exec_deleted;
mod exec_memory;
mod exec_orphan;
mod exec_temporary;
mod exec_temporary_traversal;
mod exploit_sudo;
mod injection_anonymous;
mod injection_library;
mod injection_memory_file;
mod injection_protect;
mod injection_ptrace;
mod injection_write;
mod io_uring;
mod link_passwords;
mod load_bpf;
mod load_module;
mod persist_authentication;
mod persist_cron;
mod persist_kernel_start;
mod persist_keys;
mod persist_login;
mod persist_preload;
mod persist_service;
mod read_cloud_credentials;
mod read_passwords;
mod read_passwords_disguise;
mod read_passwords_handle;
mod read_passwords_mapped;
mod read_passwords_race;
mod read_passwords_ring;
mod read_passwords_symlink;
mod read_passwords_traversal;
mod read_private_key;
mod read_private_key_odd_name;
mod reverse_shell_dev_tcp;
mod reverse_shell_port;
mod reverse_shell_python;
mod reverse_shell_ring;
mod reverse_shell_socket;
mod reverse_shell_tool;
mod reverse_shell_tool_quoted;
mod search_credentials;
mod setuid_bit;
mod shell_network;
mod user_namespace;

use crate::Attack;

/// Every attack, in the order of the names.
pub const ALL: &[Attack] = &[
    become_root::ATTACK,
    change_sudo::ATTACK,
    change_system::ATTACK,
    clear_history::ATTACK,
    clear_log::ATTACK,
    escape_core_pattern::ATTACK,
    exec_deleted::ATTACK,
    exec_memory::ATTACK,
    exec_orphan::ATTACK,
    exec_temporary::ATTACK,
    exec_temporary_traversal::ATTACK,
    exploit_sudo::ATTACK,
    injection_anonymous::ATTACK,
    injection_library::ATTACK,
    injection_memory_file::ATTACK,
    injection_protect::ATTACK,
    injection_ptrace::ATTACK,
    injection_write::ATTACK,
    io_uring::ATTACK,
    link_passwords::ATTACK,
    load_bpf::ATTACK,
    load_module::ATTACK,
    persist_authentication::ATTACK,
    persist_cron::ATTACK,
    persist_kernel_start::ATTACK,
    persist_keys::ATTACK,
    persist_login::ATTACK,
    persist_preload::ATTACK,
    persist_service::ATTACK,
    read_cloud_credentials::ATTACK,
    read_passwords::ATTACK,
    read_passwords_disguise::ATTACK,
    read_passwords_handle::ATTACK,
    read_passwords_mapped::ATTACK,
    read_passwords_race::ATTACK,
    read_passwords_ring::ATTACK,
    read_passwords_symlink::ATTACK,
    read_passwords_traversal::ATTACK,
    read_private_key::ATTACK,
    read_private_key_odd_name::ATTACK,
    reverse_shell_dev_tcp::ATTACK,
    reverse_shell_port::ATTACK,
    reverse_shell_python::ATTACK,
    reverse_shell_ring::ATTACK,
    reverse_shell_socket::ATTACK,
    reverse_shell_tool::ATTACK,
    reverse_shell_tool_quoted::ATTACK,
    search_credentials::ATTACK,
    setuid_bit::ATTACK,
    shell_network::ATTACK,
    user_namespace::ATTACK,
];
