{{ config(materialized='table') }} select * from {{ ref('people') }} where id < 3
