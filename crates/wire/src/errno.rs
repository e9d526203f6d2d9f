//! Names of errors.

use std::sync::LazyLock;

macro_rules! errnos {
    ($($name:ident)*) => { &[$((libc::$name, stringify!($name)),)*] };
}

const ERRNOS: &[(i32, &str)] = errnos! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG ENOEXEC EBADF ECHILD EAGAIN ENOMEM EACCES EFAULT ENOTBLK EBUSY
    EEXIST EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY ETXTBSY EFBIG ENOSPC ESPIPE EROFS EMLINK
    EPIPE EDOM ERANGE EDEADLK ENAMETOOLONG ENOLCK ENOSYS ENOTEMPTY ELOOP ENOMSG EIDRM ECHRNG EL2NSYNC EL3HLT
    EL3RST ELNRNG EUNATCH ENOCSI EL2HLT EBADE EBADR EXFULL ENOANO EBADRQC EBADSLT EBFONT ENOSTR ENODATA
    ETIME ENOSR ENONET ENOPKG EREMOTE ENOLINK EADV ESRMNT ECOMM EPROTO EMULTIHOP EDOTDOT EBADMSG EOVERFLOW
    ENOTUNIQ EBADFD EREMCHG ELIBACC ELIBBAD ELIBSCN ELIBMAX ELIBEXEC EILSEQ ERESTART ESTRPIPE EUSERS
    ENOTSOCK EDESTADDRREQ EMSGSIZE EPROTOTYPE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP
    EPFNOSUPPORT EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED
    ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETOOMANYREFS ETIMEDOUT ECONNREFUSED EHOSTDOWN EHOSTUNREACH
    EALREADY EINPROGRESS ESTALE EUCLEAN ENOTNAM ENAVAIL EISNAM EREMOTEIO EDQUOT ENOMEDIUM EMEDIUMTYPE
    ECANCELED ENOKEY EKEYEXPIRED EKEYREVOKED EKEYREJECTED EOWNERDEAD ENOTRECOVERABLE ERFKILL EHWPOISON
};

static NAMES: LazyLock<Vec<Option<&'static str>>> = LazyLock::new(|| {
    (0..=i32::from(u8::MAX))
        .map(|number| ERRNOS.iter().find(|(value, _)| *value == number).map(|(_, name)| *name))
        .collect()
});

/// The rule field `evt.res`: `SUCCESS`, the name of the error, or `UNKNOWN` for an error that has none.
pub(crate) fn result_name(result: i64) -> &'static str {
    if result >= 0 {
        return "SUCCESS";
    }
    usize::try_from(result.unsigned_abs())
        .ok()
        .and_then(|number| NAMES.get(number).copied().flatten())
        .unwrap_or("UNKNOWN")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_read_as_falco_writes_them() {
        for (result, name) in [
            (3, "SUCCESS"),
            (-2, "ENOENT"),
            (-115, "EINPROGRESS"),
            (-11, "EAGAIN"),
            (-95, "EOPNOTSUPP"),
            (-9999, "UNKNOWN"),
        ] {
            assert_eq!(result_name(result), name);
        }
        assert_eq!(result_name(i64::MIN), "UNKNOWN");
    }
}
