{{ config(materialized='table') }} select id, array(name) as names, named_struct('color', color) as s from {{ ref('people') }}
