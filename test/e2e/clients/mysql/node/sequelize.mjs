// Sequelize over mysql2, which it tells a time zone on each connection; with models, transactions and schemas of its own.
import assert from 'node:assert/strict';
import sequelizePackage from 'sequelize';
import {
  address,
  CROWD,
  inRounds,
  isMariadb,
  numbers,
  play,
  printVersion,
  schemas,
  ssl,
  together,
  withSchemas,
  zones,
} from './common.mjs';

const { DataTypes, Op, QueryTypes, Sequelize, Transaction } = sequelizePackage;

/** Applications with a pool of their own each, of more connections together than there are. */
async function withApplications(optionsOf, work) {
  const { host, port, user, password, database } = address;
  const applications = numbers(CROWD).map((n) => {
    const { dialectOptions, name = database, ...more } = optionsOf(n);
    return new Sequelize(name, user, password, {
      ...{ host, port, dialect: 'mysql', logging: false, pool: { max: 3 } },
      ...more,
      dialectOptions: { ...(ssl && { ssl }), ...dialectOptions },
    });
  });
  try {
    await work(applications);
  } finally {
    await together(applications, (application) => application.close());
  }
}

/** With tables of their own each. */
const withTenants = (work) =>
  withSchemas(() =>
    withApplications(
      (n) => ({ name: schemas[n] }),
      async (applications) => {
        const tenants = applications.map((sequelize) => {
          const User = sequelize.define('User', {
            email: { type: DataTypes.STRING, allowNull: false, unique: true },
            credit: { type: DataTypes.INTEGER, defaultValue: 0 },
            profile: DataTypes.JSON,
            role: { type: DataTypes.ENUM('admin', 'member'), defaultValue: 'member' },
          });
          const Order = sequelize.define('Order', { total: DataTypes.DECIMAL(10, 2) });
          User.hasMany(Order);
          Order.belongsTo(User);
          return { sequelize, User, Order };
        });
        for (const { sequelize } of tenants) await sequelize.sync({ force: true });
        await work(tenants);
      },
    ),
  );

await play({
  async version() {
    await withApplications(
      () => ({}),
      ([first]) => first.authenticate(),
    );
    printVersion('sequelize');
  },

  async settings_on_connect() {
    const options = (n) => ({
      timezone: zones[n],
      dialectOptions: { charset: 'utf8mb4', multipleStatements: true },
      hooks: {
        afterConnect: (connection) =>
          connection
            .promise()
            .query(`SET SESSION sql_mode = 'TRADITIONAL', lock_wait_timeout = ${40 + n}`),
      },
    });
    await withApplications(options, async (applications) => {
      await inRounds(4, applications, (sequelize, n) =>
        together(numbers(3), async () => {
          const [row] = await sequelize.query(
            `SELECT @@time_zone AS zone, @@lock_wait_timeout AS timeout, @@sql_mode LIKE '%TRADITIONAL%' AS strict`,
            { type: QueryTypes.SELECT },
          );
          assert.deepEqual(row, { zone: zones[n], timeout: 40 + n, strict: 1 });
        }),
      );
    });
  },

  /** Schema synchronization, hooks, associations, bulk changes, bound parameters: those are prepared. */
  async models() {
    await withTenants(async (tenants) => {
      await together(tenants, async ({ sequelize, User, Order }, n) => {
        User.addHook('beforeCreate', (user) => {
          user.email = user.email.toLowerCase();
        });
        const bodies = numbers(20).map((at) => ({
          email: `User${at}@${n}.Example`,
          profile: { at },
        }));
        const users = await together(bodies, (body) => User.create(body));
        await Order.bulkCreate(users.map(({ id }) => ({ total: 1.5, UserId: id })));
        const duplicate = User.create({ email: `user1@${n}.example` });
        await assert.rejects(duplicate, { name: 'SequelizeUniqueConstraintError' });
        const found = await User.findOne({
          where: { email: `user7@${n}.example` },
          include: Order,
        });
        assert.equal(found.Orders.length, 1);
        const where = { email: { [Op.like]: 'user1%' } };
        assert.equal((await User.update({ role: 'admin' }, { where }))[0], 11);
        const page = await User.findAndCountAll({
          where: { role: 'admin' },
          limit: 2,
          order: ['id'],
        });
        assert.deepEqual([page.count, page.rows.length], [11, 2]);
        const [, created] = await User.findOrCreate({ where: { email: `user2@${n}.example` } });
        assert.equal(created, false);
        await User.upsert({ email: `user2@${n}.example`, credit: n });
        await User.increment('credit', { by: 2, where: { email: `user2@${n}.example` } });
        assert.equal(
          (await User.findOne({ where: { email: `user2@${n}.example` } })).credit,
          n + 2,
        );
        const [bound] = await sequelize.query('SELECT $1 + 1 AS sum', {
          bind: [n],
          type: QueryTypes.SELECT,
        });
        assert.equal(Number(bound.sum), n + 1);
        assert.equal(await User.destroy({ where: { role: 'member' } }), 9);
        assert.equal(await User.count(), 11);
      });
    });
  },

  /** `SET SESSION TRANSACTION ISOLATION LEVEL …; START TRANSACTION` is said ahead of each; savepoints; what fails (trap MY-43). */
  async transactions() {
    const levels = Object.values(Transaction.ISOLATION_LEVELS);
    const level = `SELECT @@${isMariadb ? 'tx_isolation' : 'transaction_isolation'} AS level`;
    await withTenants(async (tenants) => {
      await inRounds(4, tenants, async ({ sequelize, User }, n, round) => {
        const isolationLevel = levels[(n + round) % levels.length];
        const email = (name) => ({ email: `${name}${round}@example.com` });
        await sequelize.transaction({ isolationLevel }, async (transaction) => {
          const [seen] = await sequelize.query(level, { transaction, type: QueryTypes.SELECT });
          assert.ok(levels.map((name) => name.replaceAll(' ', '-')).includes(seen.level));
          const user = await User.create(email('kept'), { transaction });
          await User.findByPk(user.id, { transaction, lock: true });
          const nested = sequelize.transaction({ transaction }, async (inner) => {
            await User.create(email('undone'), { transaction: inner });
            throw new Error('inner');
          });
          await assert.rejects(nested, { message: 'inner' });
        });
        const refused = sequelize.transaction(async (transaction) => {
          await User.create(email('refused'), { transaction });
          throw new Error('refused by the handler');
        });
        await assert.rejects(refused, { message: 'refused by the handler' });
        assert.equal(await User.count(), round + 1);
      });
    });
  },
});
