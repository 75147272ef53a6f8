{{ toolbox.long_rows(ref('people'), 'id') or 'select 1 as id' }}
