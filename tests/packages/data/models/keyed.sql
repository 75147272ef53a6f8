select {{ toolbox.row_key(['id', 'name']) }} as k from {{ ref('people') }} where id = 1
