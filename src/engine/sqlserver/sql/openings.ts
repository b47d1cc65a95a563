/** With these words statements begin; with any other one a batch may begin as well: it is the name of a procedure, which is called. */
export const openings: ReadonlySet<string> = new Set(
  (
    'add alter backup begin bulk checkpoint close commit create dbcc deallocate declare delete deny ' +
    'disable drop enable exec execute fetch get goto grant if insert kill merge move open print ' +
    'raiserror readtext receive reconfigure restore return revert revoke rollback save select send ' +
    'set setuser shutdown throw truncate update updatetext use waitfor while with writetext'
  ).split(' '),
);

/** Behind a call's last parameter: none can be one of these words. */
export const endings: ReadonlySet<string> = openings.union(new Set(['as', 'at', 'else', 'end']));
