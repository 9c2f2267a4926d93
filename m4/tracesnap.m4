dnl Macros of tracesnap's own configure.ac.

dnl TS_ENABLE(NAME, HELP): an option --enable-NAME that is off by default; sets enable_NAME.
AC_DEFUN([TS_ENABLE], [AC_ARG_ENABLE([$1], [AS_HELP_STRING([--enable-$1], [$2])], [],
    [enable_$1=no])])

dnl TS_CHECK_FLAG(FLAG, IF-TAKEN, [IF-NOT]): does $CC compile and link with FLAG?
AC_DEFUN([TS_CHECK_FLAG], [
    AC_CACHE_CHECK([whether $CC takes $1], [AS_TR_SH([ts_cv_flag_$1])],
        [ts_save_CFLAGS=$CFLAGS
         CFLAGS="$CFLAGS -Werror $1"
         AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
            [AS_VAR_SET([AS_TR_SH([ts_cv_flag_$1])], [yes])],
            [AS_VAR_SET([AS_TR_SH([ts_cv_flag_$1])], [no])])
         CFLAGS=$ts_save_CFLAGS])
    AS_VAR_IF([AS_TR_SH([ts_cv_flag_$1])], [yes], [$2], [$3])])

dnl TS_INSTRUMENT(NAME, FLAG): adds FLAG to INSTRUMENT_FLAGS when --enable-NAME was given.
AC_DEFUN([TS_INSTRUMENT], [AS_IF([test "$enable_$1" = yes],
    [TS_CHECK_FLAG([$2], [INSTRUMENT_FLAGS="$INSTRUMENT_FLAGS $2"],
        [AC_MSG_ERROR([--enable-$1: '$CC' does not take $2])])])])
