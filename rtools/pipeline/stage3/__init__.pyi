from .job import Awaited, ProductsJob, plan_products
from .making import ProductMaking
from .work import ProductWork, work_of

__all__ = ["Awaited", "ProductMaking", "ProductWork", "ProductsJob", "plan_products", "work_of"]
